package e2e

import (
	"strings"
	"testing"
)

// The proxies of docker's configuration are there for the steps of a build, on every road, and stay out of the image.
func TestProxiesReachTheSteps(t *testing.T) {
	reg := Plain(t)
	base := Busybox(t, reg)
	EachEngine(t, []Kind{Docker20, Docker26Containerd, Podman}, func(t *testing.T, e *EngineUnderTest) {
		repo := reg.Repo(t)
		dir := Dir(t, Files{"Dockerfile": "FROM " + base + "\n" +
			"RUN test \"$http_proxy $HTTPS_PROXY $no_proxy\" = \"http://p.example:3128 http://s.example:3128 127.0.0.1,.corp\" && echo " + repo + " >/made\n"})
		config := Dir(t, Files{"config.json": `{"proxies": {"default": {"httpProxy": "http://p.example:3128", "httpsProxy": "http://s.example:3128", "noProxy": "127.0.0.1,.corp"}}}`})
		Run(t, dir, With(e, "DOCKER_CONFIG="+config), "build", "push", "IMG="+repo, "VERSION=1", "ARCHES=amd64").Exits(t, 0)
		if env := reg.Config(t, repo+":amd64-1").Config.Env; strings.Contains(strings.Join(env, " "), "p.example") {
			t.Errorf("the image's environment is %q", env)
		}
	})
}
