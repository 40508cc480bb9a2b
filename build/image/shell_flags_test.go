package image_test

import "testing"

// A text may keep what it learned of the machine in words of its own, or ask whether there are any.
func TestByFlags(t *testing.T) {
	choose(t, []string{
		"IS=0; [ $(uname -m) = x86_64 ] && IS=1; if [ \"$IS\" = 1 ]; then exec /app-amd64; fi; exec /app-arm64",
		"IS=0; [ $(uname -m) = x86_64 ] && IS=1; if [ $IS -eq 1 ]; then exec /app-amd64; fi; exec /app-arm64",
		"IS=0; [ $(uname -m) = x86_64 ] && IS=1; if [[ $IS =~ 1 ]]; then exec /app-amd64; fi; exec /app-arm64",
		"x86=false; [ \"$(uname -m)\" = x86_64 ] && x86=true; if [ \"$x86\" = true ]; then exec /app-amd64; fi; exec /app-arm64",
		"P=intel; [ \"$(uname -m)\" = aarch64 ] && P=arm; case $P in intel) exec /app-amd64 ;; *) exec /app-arm64 ;; esac",
		"kind() { case $(uname -m) in x86_64) echo intel ;; *) echo arm ;; esac; }; P=$(kind); if [[ $P == intel ]]; then exec /app-amd64; fi; exec /app-arm64",
		"IS=; [ $(uname -m) = x86_64 ] && IS=1; if [ -n \"$IS\" ]; then exec /app-amd64; fi; exec /app-arm64",
		"if [ -n \"$(uname -m | grep x86_64)\" ]; then exec /app-amd64; fi; exec /app-arm64",
		"if [ -z \"$(uname -m | grep aarch64)\" ]; then exec /app-amd64; fi; exec /app-arm64",
		"if [ \"$(uname -m | grep x86_64)\" ]; then exec /app-amd64; fi; exec /app-arm64",
		"if [ $(uname -m | grep x86_64) ]; then exec /app-amd64; fi; exec /app-arm64",
		"if [[ -n $(uname -m | grep x86_64) ]]; then exec /app-amd64; fi; exec /app-arm64",
		"if [[ -z $(uname -m | grep aarch64) ]]; then exec /app-amd64; fi; exec /app-arm64",
		"if [[ $(uname -m | grep x86_64) ]]; then exec /app-amd64; fi; exec /app-arm64",
		"A=$(uname -m | grep x86_64); test -n \"$A\" && exec /app-amd64; exec /app-arm64",
		"A=$(uname -m); if [ \"${A:0:3}\" = x86 ]; then exec /app-amd64; fi; exec /app-arm64",
		"A=$(uname -m); if [ \\( $A = x86_64 \\) -o \\( $A = amd64 \\) ]; then exec /app-amd64; fi; exec /app-arm64",
		"A=$(uname -m); if [ ! \\( $A = aarch64 -o $A = arm64 \\) ]; then exec /app-amd64; fi; exec /app-arm64",
	})
}

// What comes from outside, or changes unseen, decides nothing: the rows are written as in texts.
func TestFlagsFromOutside(t *testing.T) {
	follow(t, []string{
		"- A=x; if [ $A = y ]; then /app/server; fi",
		"- A=x; if [ -z $A ]; then /app/server; fi",
		"- A=x; f() { local B=$A; if [ $B = y ]; then /app/server; fi; }; f",
		"- A=x; for i in a b; do :; done; if [ $A = y ]; then /app/server; fi",
		"- A=x; A+=y; if [ $A = x ]; then /app/server; fi",
		"+ A=${A:-x}; if [ $A = y ]; then /app/server; fi",
		"+ A=${A:-x}; B=$A; if [ $B = y ]; then /app/server; fi",
		"+ A=x; A+=${B:-y}; if [ $A = xz ]; then /app/server; fi",
		"+ A=$(echo ${B:-x}); if [ $A = y ]; then /app/server; fi",
		"+ A=$(if [ \"${B:-x}\" = x ]; then echo x; fi); if [ -z $A ]; then /app/server; fi",
		"+ A=$(cat); if [ -n \"$A\" ]; then /app/server; fi",
		"+ if [ -z \"$(sed s/x/y/)\" ]; then :; else /app/server; fi",
		"+ if [ ${PWD#/} = x ]; then /app/server; fi",
		"+ A=abc; B=${A:0:${C:-1}}; if [ \"$B\" = b ]; then /app/server; fi",
		"+ if [ $(pwd) = /x ]; then /app/server; fi",
		"+ if [ ${B:-x} = y ]; then /app/server; fi",
		"+ if [[ -z ${B:-x} ]]; then /app/server; fi",
		"+ A=x; B=y; if [[ $A = x && ${C:-x} = y ]]; then /app/server; fi",
		"+ A=x; trap 'A=y' USR1; if [ $A = y ]; then /app/server; fi",
		"+ A=x; . /etc/defaults; if [ $A = y ]; then /app/server; fi",
		"+ A=x; eval \"$B\"; if [ $A = y ]; then /app/server; fi",
		"+ A=x; export \"$B\"; if [ $A = y ]; then /app/server; fi",
		"+ A=x; read A; if [ $A = y ]; then /app/server; fi",
		"+ A=x; read $B; if [ $A = y ]; then /app/server; fi",
		"+ A=x; declare -n B=A; B=y; if [ $A = y ]; then /app/server; fi",
		"+ A=x; shopt -s lastpipe; ls | read A; if [ $A = y ]; then /app/server; fi",
		"+ A=x; for i in \"$@\"; do A=y; done; if [ $A = y ]; then /app/server; fi",
		"+ A=x; [ $B ] && A=y; if [ $A = y ]; then /app/server; fi",
		"+ while ls; do A=x$A; if [ $A = xxxx ]; then /app/server; fi; done",
		"+ A=; while ls; do A=x$A; done; if [ $A = xxxx ]; then /app/server; fi",
		"+ f() { local A=x; }; A=${A:-y}; f; if [ $A = x ]; then /app/server; fi",
		"+ A=${B:-x}; A=y ls; if [ $A = y ]; then /app/server; fi",
		"+ f() { A=y; [ $1 ] && f; }; A=x; f; if [ $A = x ]; then /app/server; fi",
		"+ SECONDS=0; if [ $SECONDS = 9 ]; then /app/server; fi",
	})
}
