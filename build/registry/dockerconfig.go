package registry

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// hubKey is what docker login files Docker Hub's credential under.
const hubKey = "https://index.docker.io/v1/"

// maxDockerConfig bounds config.json; a thousand logins make 200 KB.
const maxDockerConfig = 8 << 20

// LoadCredentials reads Docker's configuration: config.json in dir, else in DOCKER_CONFIG, else in HOME/.docker, with its
// auths, credsStore and credHelpers. For a host of which that has nothing Podman's logins are read, which have the same form:
// REGISTRY_AUTH_FILE, or else XDG_RUNTIME_DIR/containers/auth.json (without that variable, which root and CI lack mostly,
// /run/containers/UID/auth.json) and HOME/.config/containers/auth.json. REGISTRY_USER and
// REGISTRY_PASSWORD win for the registry of target, which is the repository that the run publishes to ("" for none): they are CI's, and
// CI means where it pushes to. For that registry a login for target or a part of its path wins, such as `podman login quay.io/team` makes
// it, over one for another part, or for all of the host. The files are read again for each question, and a helper asked again, so that a login during a long run
// counts.
func LoadCredentials(dir string, getenv func(string) string, target string) (Credentials, error) {
	given, err := fromEnvironment(getenv)
	if err != nil {
		return nil, err
	}
	files := loginFiles(dir, getenv)
	if _, err := files[0].read(); err != nil {
		return nil, err
	}
	return func(ctx context.Context, host string) (Credential, error) {
		repo := ""
		if target != "" && sameRegistry(host, hostOfKey(target)) {
			repo = target
		}
		if given != (Credential{}) && repo != "" {
			return given, nil
		}
		for _, file := range files {
			config, err := file.read()
			if err != nil {
				return Credential{}, err
			}
			cred, err := config.find(ctx, host, repo, getenv)
			if errors.Is(err, errAuth) {
				return Credential{}, fmt.Errorf("%s for %s: %w; run `%s login %[2]s` again", file.whose, host, err, file.tool)
			}
			if err != nil || cred != (Credential{}) {
				return cred, err
			}
		}
		return Credential{}, nil
	}, nil
}

// LoggedIn tells for which hosts LoadCredentials, called with the same, will most likely find something: those in the files and those
// with a helper of their own. Of what is in a store for all, docker login leaves an empty entry in the file. No helper is started.
func LoggedIn(dir string, getenv func(string) string, target string) func(host string) bool {
	given, _ := fromEnvironment(getenv) // LoadCredentials tells of errors
	var configs []dockerConfig
	for _, file := range loginFiles(dir, getenv) {
		config, _ := file.read()
		configs = append(configs, config)
	}
	return func(host string) bool {
		if given != (Credential{}) && target != "" && sameRegistry(host, hostOfKey(target)) {
			return true
		}
		return slices.ContainsFunc(configs, func(c dockerConfig) bool {
			_, helped := lookUp(c.CredHelpers, host, "")
			_, filed := lookUp(c.Auths, host, "")
			return helped || filed
		})
	}
}

func fromEnvironment(getenv func(string) string) (Credential, error) {
	user, password := getenv("REGISTRY_USER"), getenv("REGISTRY_PASSWORD")
	if (user == "") != (password == "") {
		return Credential{}, errors.New("of REGISTRY_USER and REGISTRY_PASSWORD only one is set; set both or none")
	}
	return Credential{Username: user, Password: password}, nil
}

// loginFile is one place where logins are, and what messages call it.
type loginFile struct {
	path       string // "" is nowhere
	whose      string
	knob, tool string // what else names the file, and what writes it
	usual      bool   // nobody has named it: one that only root may read is another's
}

// loginFiles are Docker's configuration, and then Podman's logins (containers-auth.json(5)).
func loginFiles(dir string, getenv func(string) string) []loginFile {
	home := cmp.Or(getenv("HOME"), getenv("USERPROFILE"))
	docker := loginFile{path: below(cmp.Or(dir, getenv("DOCKER_CONFIG"), below(home, ".docker")), "config.json"), whose: "docker's configuration", knob: "DOCKER_CONFIG", tool: "docker"}
	podman := loginFile{path: getenv("REGISTRY_AUTH_FILE"), whose: "podman's logins", knob: "REGISTRY_AUTH_FILE", tool: "podman"}
	if podman.path != "" { // it stands for the usual places
		return []loginFile{docker, podman}
	}
	podman.usual = true
	runtime, config := podman, podman
	config.path = below(home, ".config/containers/auth.json")
	runtime.path = cmp.Or(below(getenv("XDG_RUNTIME_DIR"), "containers/auth.json"), fmt.Sprintf("/run/containers/%d/auth.json", os.Getuid()))
	return []loginFile{docker, runtime, config}
}

func below(dir, name string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, name)
}

// dockerConfig is the part of Docker's config.json that is about credentials.
type dockerConfig struct {
	Auths       map[string]dockerAuth `json:"auths"`
	CredsStore  string                `json:"credsStore"`
	CredHelpers map[string]string     `json:"credHelpers"`
}

type dockerAuth struct {
	Auth          string `json:"auth"`
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

func (f loginFile) read() (dockerConfig, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) || f.usual && errors.Is(err, fs.ErrPermission) {
		return dockerConfig{}, nil
	}
	if err != nil {
		return dockerConfig{}, fmt.Errorf("%s: %w", f.whose, err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxDockerConfig+1))
	if err != nil {
		return dockerConfig{}, fmt.Errorf("%s: %w", f.whose, err)
	}
	config, err := parseDockerConfig(raw)
	if err != nil {
		return dockerConfig{}, fmt.Errorf("%s %s: %w; mend it or set %s", f.whose, f.path, err, f.knob)
	}
	return config, nil
}

// parseDockerConfig reads config.json. Its errors do not quote what is in it.
func parseDockerConfig(raw []byte) (dockerConfig, error) {
	var config dockerConfig
	if len(raw) > maxDockerConfig {
		return dockerConfig{}, fmt.Errorf("it is larger than %d MiB", maxDockerConfig>>20)
	}
	if len(bytes.TrimSpace(raw)) == 0 { // as docker has it
		return dockerConfig{}, nil
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return dockerConfig{}, fmt.Errorf("it is no JSON from byte %d on", syntax.Offset)
		}
		return dockerConfig{}, errors.New("auths, credsStore or credHelpers is not what a login writes there")
	}
	return config, nil
}

// find goes docker's way: the host's own helper, else the store for all, else the file. A store that does not have
// the host leaves it to the file, where an older login may be. repo is the repository that is meant, "" for any.
func (c dockerConfig) find(ctx context.Context, host, repo string, getenv func(string) string) (Credential, error) {
	helper := c.CredsStore
	if own, ok := lookUp(c.CredHelpers, host, ""); ok {
		helper = own
	}
	if helper != "" {
		cred, err := askHelper(ctx, helper, serverName(host), getenv)
		if err != nil || cred != (Credential{}) {
			return cred, err
		}
	}
	auth, _ := lookUp(c.Auths, host, repo)
	return auth.credential()
}

// errAuth begins what is wrong with an entry. It does not quote it.
var errAuth = errors.New("its auth is")

func (a dockerAuth) credential() (Credential, error) {
	cred := Credential{Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken}
	if a.Auth == "" {
		return cred, nil
	}
	raw, err := base64.StdEncoding.DecodeString(a.Auth)
	if err != nil {
		return Credential{}, fmt.Errorf("%w no base64", errAuth)
	}
	user, password, ok := strings.Cut(string(raw), ":")
	if !ok || user == "" {
		return Credential{}, fmt.Errorf("%w not NAME:PASSWORD", errAuth)
	}
	cred.Username, cred.Password = user, strings.TrimRight(password, "\x00") // docker's old encoder padded with NUL
	return cred, nil
}

// serverName is what helpers know a host by.
func serverName(host string) string {
	if isHub(host) {
		return hubKey
	}
	return host
}

func isHub(host string) bool {
	return slices.Contains([]string{dockerHub, "index.docker.io", dockerHubAPI}, host)
}

func sameRegistry(a, b string) bool { return serverName(a) == serverName(b) }

// lookUp finds a host's entry: that for the longest part of the repository's path, as Podman has them, then under its own name, else
// under a key that is an address on it, as old logins have it ("https://ghcr.io/v2/"). Of several such keys the first in the alphabet
// counts.
func lookUp[V any](entries map[string]V, host, repo string) (V, bool) {
	for part := repo; strings.Contains(part, "/"); part = path.Dir(part) {
		if v, ok := entries[part]; ok {
			return v, true
		}
	}
	if v, ok := entries[serverName(host)]; ok {
		return v, true
	}
	var keys []string
	for key := range entries {
		if sameRegistry(hostOfKey(key), host) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		var none V
		return none, false
	}
	return entries[slices.Min(keys)], true
}

func hostOfKey(key string) string {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	host, _, _ := strings.Cut(key, "/")
	return host
}
