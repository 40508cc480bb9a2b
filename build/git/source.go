package git

import (
	"net/url"
	"path"
	"sort"
	"strings"
)

// remote picks the url of origin, or of the first remote by name, from the lines "remote.NAME.url URL".
func remote(lines string) string {
	urls := map[string]string{}
	var names []string
	for line := range strings.Lines(lines) {
		key, address, _ := strings.Cut(strings.TrimSpace(line), " ")
		name := strings.TrimSuffix(strings.TrimPrefix(key, "remote."), ".url")
		if urls[name] == "" {
			names = append(names, name)
			urls[name] = address
		}
	}
	if origin := urls["origin"]; origin != "" {
		return origin
	}
	sort.Strings(names)
	for _, name := range names {
		return urls[name]
	}
	return ""
}

// web turns a remote into an https address for people:
//
//	git@github.com:me/app.git                -> https://github.com/me/app
//	ssh://git@host:2222/me/app.git           -> https://host/me/app       (the port is ssh's)
//	ssh://git@ssh.github.com:443/me/app.git  -> https://github.com/me/app
//	https://user:token@gitlab.com/me/app.git -> https://gitlab.com/me/app
//	http://host:3000/me/app                  -> http://host:3000/me/app
//	/srv/git/app.git, file:///srv/git/app    -> ""                        (nobody else can follow it)
func web(remote string) string {
	u, err := url.Parse(scpForm(remote))
	if err != nil || u.Host == "" {
		return ""
	}
	host := u.Hostname()
	switch u.Scheme {
	case "http", "https":
		host = u.Host
	case "ssh", "git", "git+ssh", "ssh+git":
		u.Scheme, host = "https", webHost(host)
		if strings.Contains(host, ":") { // an IPv6 address
			host = "[" + host + "]"
		}
	default:
		return ""
	}
	clean := url.URL{Scheme: u.Scheme, Host: host, Path: strings.TrimSuffix(strings.TrimRight(u.Path, "/"), ".git")}
	return clean.String()
}

// webHost is who shows what a host for ssh alone serves, as behind firewalls that let only port 443 pass: ssh.github.com,
// altssh.gitlab.com.
func webHost(host string) string {
	return strings.TrimPrefix(strings.TrimPrefix(host, "altssh."), "ssh.")
}

// scpForm turns git's short form user@host:path into a URL; what has a scheme, a slash before the colon, or a
// helper (ext::command) is no short form.
func scpForm(remote string) string {
	host, rest, found := strings.Cut(remote, ":")
	if !found || host == "" || strings.Contains(host, "/") || strings.HasPrefix(rest, "//") || strings.HasPrefix(rest, ":") {
		return remote
	}
	return "ssh://" + host + "/" + strings.TrimPrefix(rest, "/")
}

func repositoryName(source string) string {
	u, err := url.Parse(source)
	if err != nil || strings.Trim(u.Path, "/") == "" {
		return ""
	}
	return path.Base(u.Path)
}
