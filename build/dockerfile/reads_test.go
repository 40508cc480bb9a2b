package dockerfile

import (
	"reflect"
	"testing"
)

// A builder is sent what the Dockerfile may read, and everything where that cannot be told from the file alone.
func TestReads(t *testing.T) {
	for name, test := range map[string]struct {
		src  string
		o    Options
		want []string
	}{
		"nothing":                {d(`FROM scratch`), Options{}, []string{}},
		"by name":                {d(`FROM scratch`, `COPY c a ./b/../a/ /to/`, `ADD ["e f", "/"]`), Options{}, []string{"a", "c", "e f"}},
		"patterns":               {d(`FROM scratch`, `COPY package*.json */a?.txt /`), Options{}, []string{"*/a?.txt", "package*.json"}},
		"all of it":              {d(`FROM scratch`, `COPY a /`, `COPY . /`), Options{}, nil},
		"parts":                  {d(`FROM scratch`, `COPY --parents a/./b /`, `COPY --exclude=*.md c /`, `ADD --exclude=*.md d /`), Options{}, []string{"a/b", "c", "d"}},
		"by the platform":        {d(`FROM scratch`, `ARG TARGETARCH`, `COPY app-$TARGETARCH /app`), Options{}, []string{"app-arm"}},
		"by one that is given":   {d(`FROM scratch`, `ARG D=x`, `COPY $D /`), Options{Args: map[string]string{"D": "y"}}, []string{"y"}},
		"... by this program":    {d(`FROM scratch`, `ARG GOARCH=amd64`, `COPY hello-${GOARCH} /`), Options{}, []string{"hello-arm"}},
		"declared behind it":     {d(`FROM scratch`, `COPY app-$TARGETARCH /app`, `ARG TARGETARCH`), Options{}, nil},
		"declared twice":         {d(`FROM scratch`, `ARG TARGETARCH`, `ARG TARGETARCH=x`, `COPY app-$TARGETARCH /app`), Options{}, nil},
		"declared for all":       {d(`ARG TARGETARCH`, `FROM scratch`, `ARG TARGETARCH`, `COPY app-$TARGETARCH /app`), Options{}, nil},
		"... and given":          {d(`ARG D=x`, `FROM scratch`, `ARG D`, `COPY $D /`), Options{Args: map[string]string{"D": "y"}}, []string{"y"}},
		"set by what waits":      {d(`FROM scratch AS x`, `ONBUILD ENV TARGETARCH=x`, `FROM x`, `ARG TARGETARCH`, `COPY app-$TARGETARCH /app`), Options{}, nil},
		"by a default":           {d(`FROM scratch`, `ARG D=x`, `COPY $D /`), Options{}, []string{"x"}},
		"... a pattern":          {d(`FROM base`, `ARG JAR=target/*.jar`, `COPY ${JAR} /`), Options{}, []string{"target/*.jar"}},
		"... of an argument's":   {d(`FROM base`, `ARG V=1`, `ARG D="a-${V}"`, `COPY $D.tar /`), Options{}, []string{"a-1.tar"}},
		"... of one below it":    {d(`FROM base`, `ARG D=a-$V`, `ARG V=1`, `COPY $D.tar /`), Options{}, nil},
		"... for all":            {d(`ARG V=1`, `ARG D=a-$V`, `FROM base`, `ARG D`, `COPY $D /`), Options{}, []string{"a-1"}},
		"... for all, given":     {d(`ARG V=1`, `ARG D=a-$V`, `FROM base`, `ARG D`, `COPY $D /`), Options{Args: map[string]string{"V": "2"}}, []string{"a-2"}},
		"... for all, not here":  {d(`ARG D=a`, `FROM base`, `COPY $D /`), Options{}, nil},
		"... for nobody":         {d(`FROM base`, `ARG D`, `COPY $D /`), Options{}, nil},
		"... twice":              {d(`FROM base`, `ARG D=a`, `ARG D`, `COPY $D /`), Options{}, nil},
		"... of another stage":   {d(`FROM base AS x`, `ARG D=a`, `FROM base`, `ARG D=b`, `COPY $D /`, `COPY --from=x /c /`), Options{}, []string{"b"}},
		"... and one below":      {d(`FROM base AS x`, `ARG D=a`, `FROM x`, `ARG D=b`, `COPY $D /`), Options{}, nil},
		"... of one below alone": {d(`FROM base AS x`, `ARG D=a`, `FROM x`, `COPY $D /`), Options{}, nil},
		"... that an ENV beats":  {d(`FROM base AS x`, `ARG D=a`, `ENV D=b`, `COPY $D /`), Options{}, nil},
		"... with a dollar":      {d(`FROM base`, `ARG D='$V'`, `COPY $D /`), Options{}, nil},
		"... of nothing":         {d(`FROM base`, `ARG D=`, `COPY $D /`), Options{}, nil},
		"... that is none":       {d(`FROM base`, `ARG D=${`, `COPY $D /`), Options{}, nil},
		"given on a base":        {d(`FROM base`, `ARG D`, `COPY $D /`), Options{Args: map[string]string{"D": "y"}}, []string{"y"}},
		"by a base's variable":   {d(`FROM base`, `COPY $D /`), Options{}, nil},
		"quoted, escaped":        {d(`FROM scratch`, `COPY "a" /`), Options{}, nil},
		"... otherwise":          {d(`FROM scratch`, `COPY a\ b /`), Options{}, nil},
		"no pattern":             {d(`FROM scratch`, `COPY !a /`), Options{}, nil},
		"... with blanks":        {d(`FROM scratch`, `COPY ["a ", "/"]`), Options{}, nil},
		"... blanks of others":   {d(`FROM scratch`, `COPY ["a ", "/"]`), Options{}, nil},
		"... in other words":     {d(`FROM scratch`, `COPY a^* /`), Options{}, nil},
		"... in brackets":        {d(`FROM scratch`, `COPY a [z-a] /`), Options{}, nil},
		"addresses":              {d(`FROM scratch`, `ADD https://x/a?b=[$V github.com/x/y /`), Options{}, []string{"github.com/x/y"}},
		"mounted":                {d(`FROM scratch`, `RUN --mount=source=a,target=/a --mount=type=cache,target=/c true`), Options{}, []string{"a"}},
		"... whole":              {d(`FROM scratch`, `RUN --mount=target=/a true`), Options{}, nil},
		"... as nobody knows":    {d(`FROM scratch`, `ARG T=bind`, `RUN --mount=type=$T,source=a,target=/a true`), Options{}, nil},
		"from elsewhere":         {d(`FROM scratch AS x`, `FROM scratch`, `COPY --from=x . /`, `COPY --from=nginx . /`, `COPY --from=lib . /`), Options{Contexts: []string{"lib"}}, []string{}},
		"of a stage left out":    {d(`FROM scratch AS dev`, `COPY . /`, `FROM scratch`, `COPY a /`), Options{}, []string{"a"}},
		"... that is built":      {d(`FROM scratch AS dev`, `COPY . /`, `FROM scratch`, `COPY a /`), Options{Classic: true, Every: true}, nil},
		"for whoever builds on":  {d(`FROM scratch AS x`, `ONBUILD COPY a /`, `FROM x`), Options{}, []string{"a"}},
		"... in a base":          {d(`FROM base`), Options{OnBuild: map[string][]string{"docker.io/library/base:latest": {"COPY . /"}}}, nil},
		"a target that is wrong": {d(`FROM scratch`), Options{Target: "x"}, nil},
	} {
		o := armOnAmd(t)
		o.Args, o.Contexts, o.Target, o.Classic, o.Every, o.OnBuild = test.o.Args, test.o.Contexts, test.o.Target, test.o.Classic, test.o.Every, test.o.OnBuild
		got, known := read(t, test.src).Reads(Target, o)
		if !reflect.DeepEqual(got.Paths, test.want) || known == (test.want == nil) {
			t.Errorf("%s: got %q, known %v; want %q", name, got.Paths, known, test.want)
		}
	}
}

// A base that has a variable of an argument's name may make another path of it.
func TestReadsGoByArguments(t *testing.T) {
	src := d(`FROM base`, `ARG V=1`, `ARG W=2`, `ARG D="a-${V}"`, `ARG TARGETARCH`, `COPY $D.tar $TARGETARCH /`, `COPY $D.zip b /`)
	got, known := read(t, src).Reads(Target, armOnAmd(t))
	want := Reads{Paths: []string{"a-1.tar", "a-1.zip", "arm", "b"}, By: []string{"D", "TARGETARCH", "V"}}
	if !known || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, known %v; want %+v", got, known, want)
	}
}
