package image_test

import "testing"

// What a text writes into a file is followed where the file is read or started; the rows are as those of texts.
func TestWritten(t *testing.T) {
	follow(t, []string{
		"+ cat > /etc/app.env <<X\nBIN=/app/server\nX\n. /etc/app.env; exec ${BIN:-/app/x}",
		"+ cat <<'X' >/etc/app.env\nBIN=/app/server\nX\nsource /etc/app.env; exec ${BIN:-/app/x}",
		"- cat > /etc/app.env <<X\nBIN=/app/x\nX\n. /etc/app.env; exec ${BIN:-/app/server}",
		"+ echo 'BIN=/app/server' > /tmp/env; . /tmp/env; exec ${BIN:-/app/x}",
		"+ printf 'BIN=%s\\n' /app/server > /tmp/env; cd /tmp; . ./env; exec ${BIN:-/app/x}",
		"+ { echo A=/app; echo 'BIN=$A/server'; } > /tmp/env; . /tmp/env; exec ${BIN:-/app/x}",
		"+ > /tmp/env; echo A=/app >> /tmp/env; echo 'BIN=$A/server' >> /tmp/env; . /tmp/env; exec ${BIN:-/app/x}",
		"+ echo BIN=/app/server > /tmp/new; mv /tmp/new /tmp/env; . /tmp/env; exec ${BIN:-/app/x}",
		"+ [ $X ] && A=server || A=x; echo BIN=/app/$A > /tmp/env; . /tmp/env; exec $BIN",
		"- echo BIN=/app/server > /tmp/env; echo BIN=/app/x > /tmp/env; . /tmp/env; exec $BIN",
		"- (echo BIN=/app/server) > /tmp/env; exec ${BIN:-/app/x}",
		"+ f() { echo BIN=/app/server; return; }; f > /tmp/env; . /tmp/env; exec ${BIN:-/app/x}",
		"+ echo 'exec /app/server' > /tmp/w.sh; . /tmp/w.sh",
		"+ echo 'exec /app/server' > /tmp/w.sh; sh /tmp/w.sh",
		"+ echo 'exec /app/server' > /tmp/w.sh; chmod +x /tmp/w.sh; /tmp/w.sh",
		"+ printf '#!/bin/sh\\nexec /app/server\\n' > /usr/bin/w; chmod +x /usr/bin/w; exec w",
		"+ cat > /tmp/w.sh <<'X'\n#!/bin/bash -e\nexec \"$@\"\nX\nchmod +x /tmp/w.sh; exec nice /tmp/w.sh /app/server",
		"- echo 'exec /app/x' > /app/server; exec /app/server",
		"- cat > /etc/app.conf <<X\nexec /app/server\nX\nexec /app/x",
		"- curl -s $URL > /etc/app.conf; exec /app/x",

		"+ echo BIN=/app/server | tee /tmp/env; . /tmp/env; exec ${BIN:-/app/x}",
		"+ echo BIN=/app/server | tee /tmp/env >/dev/null; . /tmp/env; exec ${BIN:-/app/x}",
		"+ echo A=/app | tee /tmp/env; echo 'BIN=$A/server' | tee -a /tmp/env; . /tmp/env; exec ${BIN:-/app/x}",
		"- echo BIN=/app/server | tee /tmp/env; echo 'BIN=/app/x' | tee /tmp/env; . /tmp/env; exec ${BIN:-/app/server}",
		"+ tee /tmp/a /tmp/b <<X\nBIN=/app/server\nX\n. /tmp/b; exec ${BIN:-/app/x}",
		"+ cat <<X | sudo tee --append /tmp/w.sh >/dev/null\nexec /app/server\nX\nsh /tmp/w.sh",
		"+ echo exec /app/server | tee /tmp/a | sh",
		"- echo 'exec /app/x' | tee /app/server; exec /app/server",
		"- curl -s $URL | tee /etc/app.conf; exec /app/x",

		"? echo \"BIN=$X\" > /tmp/env; . /tmp/env; exec $BIN",
		"? curl -s $URL > /tmp/env; . /tmp/env; exec ${BIN:-/app/x}",
		"? curl -s $URL > /tmp/w.sh; sh /tmp/w.sh",
		"? for x in $X; do echo $x; done > /tmp/env; . /tmp/env; exec /app/x",
		"? for x in $X; do echo A=1 >> /tmp/env; done; . /tmp/env; exec /app/x",
		"? curl -s $URL | tee /tmp/env; . /tmp/env; exec ${BIN:-/app/x}",
		"? echo \"BIN=$X\" | tee /tmp/env; . /tmp/env; exec $BIN",
		"? tee /tmp/env; . /tmp/env; exec ${BIN:-/app/x}",
		"? exec > /tmp/env; echo BIN=/app/server; . /tmp/env; exec ${BIN:-/app/x}",
	})
}
