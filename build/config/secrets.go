package config

import "strings"

// secrets reads SECRETS. Each word is
//
//	npm=.npmrc            a file
//	npm=env:NPM_TOKEN     an environment variable
//	NPM_TOKEN             the environment variable of that name
//	id=npm,src=.npmrc     docker build's form, with src, source or env
func (l *loader) secrets() {
	s := l.get("SECRETS")
	l.record("SECRETS", s.text, s.origin)
	seen := map[string]bool{}
	for _, i := range s.items {
		secret, problem := l.secret(i.text)
		if problem == "" && seen[secret.ID] {
			problem = "is there twice: leave one"
		}
		if problem != "" {
			l.fail(&UsageError{Knob: "SECRETS", Text: i.text, Origin: i.origin, Problem: problem})
			continue
		}
		seen[secret.ID] = true
		if secret.Env != "" && l.getenv(secret.Env) == "" {
			l.later(&UsageError{Knob: "SECRETS", Text: i.text, Origin: i.origin, Problem: "takes the variable " + secret.Env + ", which is not set: set it, or name a file"})
		}
		l.config.Secrets = append(l.config.Secrets, secret)
	}
}

func (l *loader) secret(text string) (Secret, string) {
	if strings.HasPrefix(text, "id=") || strings.HasPrefix(text, "type=") || strings.Contains(text, ",id=") {
		return l.dockerSecret(text)
	}
	id, from, given := strings.Cut(text, "=")
	env, isEnv := strings.CutPrefix(from, "env:")
	switch {
	case !given:
		env, isEnv = id, true
	case from == "":
		return Secret{}, "has no file: write " + id + "=file or " + id + "=env:NAME"
	}
	if !isEnv {
		return l.checked(Secret{ID: id, File: l.absolute(from)})
	}
	return l.checked(Secret{ID: id, Env: env})
}

// dockerSecret reads the form of docker build --secret, https://docs.docker.com/reference/cli/docker/buildx/build/#secret.
func (l *loader) dockerSecret(text string) (Secret, string) {
	var s Secret
	var kind, source string
	for field := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "id":
			s.ID = value
		case "src", "source":
			source = value
		case "env":
			s.Env = value
		case "type":
			kind = value
		default:
			return s, "has " + key + ": write id=NAME,src=FILE or id=NAME,env=VARIABLE"
		}
	}
	switch {
	case kind != "" && kind != "file" && kind != "env":
		return s, "has type=" + kind + ": write type=file or type=env, or leave it out"
	case kind == "env" && s.Env == "":
		s.Env = source
	case source != "":
		s.File = l.absolute(source)
	}
	if s.File == "" && s.Env == "" {
		s.Env = s.ID
	}
	return l.checked(s)
}

func (l *loader) checked(s Secret) (Secret, string) {
	switch {
	case s.ID == "":
		return s, "has no id: write id=file or id=env:NAME"
	case s.File != "" && s.Env != "":
		return s, "is both a file and a variable: leave one"
	}
	return s, ""
}

// agents reads SSH: id, id=socket, or id=key,key.
func (l *loader) agents() {
	s := l.get("SSH")
	l.record("SSH", s.text, s.origin)
	for _, i := range s.items {
		id, paths, given := strings.Cut(i.text, "=")
		agent := Agent{ID: id}
		for _, path := range splitList(paths) {
			agent.Paths = append(agent.Paths, l.absolute(path))
		}
		problem := ""
		switch {
		case id == "":
			problem = "has no id: write default, or id=socket"
		case given && len(agent.Paths) == 0:
			problem = "has no path: write " + id + "=socket, or " + id + " alone for SSH_AUTH_SOCK"
		case !given && l.getenv("SSH_AUTH_SOCK") == "":
			l.later(&UsageError{Knob: "SSH", Text: i.text, Origin: i.origin, Problem: "takes the agent of SSH_AUTH_SOCK, which is not set: start an agent, or name its socket or a key"})
		}
		if problem != "" {
			l.fail(&UsageError{Knob: "SSH", Text: i.text, Origin: i.origin, Problem: problem})
		}
		l.config.SSH = append(l.config.SSH, agent)
	}
}
