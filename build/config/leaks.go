package config

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// leaks tells whether a build-arg looks like a secret, by a part of its name or by the form of its value. Nothing is a secret
// that is empty, and a name that ends in what secrets are found by (a file, an address) holds none.
func leaks(name, value string) bool {
	if value == "" {
		return false
	}
	return secretValue().MatchString(value) || secretName(name)
}

func secretName(name string) bool {
	parts := strings.Split(strings.ToUpper(name), "_")
	if slices.Contains([]string{"FILE", "PATH", "DIR", "URL", "URI", "NAME", "TTL", "LENGTH"}, parts[len(parts)-1]) || slices.Contains(parts, "PUBLIC") {
		return false
	}
	if slices.ContainsFunc(parts, func(p string) bool { return slices.Contains(secretParts(), p) }) {
		return true
	}
	return slices.ContainsFunc([]string{"API_KEY", "PRIVATE_KEY", "ACCESS_KEY", "SECRET_KEY", "SSH_KEY"}, func(s string) bool {
		return strings.Contains("_"+strings.ToUpper(name)+"_", "_"+s+"_")
	})
}

func secretParts() []string {
	return []string{
		"TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "PWORD", "SECRET", "SECRETS", "CREDENTIAL", "CREDENTIALS",
		"APIKEY", "AUTHTOKEN", "ACCESSTOKEN", "SECRETKEY", "PRIVATEKEY", "DBPASSWORD",
	}
}

// secretValue are the forms that issuers gave their tokens so that they can be found: private keys, GitHub, GitLab, AWS, Slack, npm,
// Docker Hub, PyPI, Google, Stripe, JSON web tokens, and passwords inside of addresses.
var secretValue = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY|` +
		`\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|(AKIA|ASIA)[A-Z0-9]{16}|xox[abprs]-[A-Za-z0-9-]{10,}|` +
		`npm_[A-Za-z0-9]{30,}|dckr_pat_[A-Za-z0-9_-]{20,}|pypi-[A-Za-z0-9_-]{30,}|AIza[A-Za-z0-9_-]{35}|[sr]k_live_[A-Za-z0-9]{20,}|` +
		`eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+)|` +
		`://[^/\s:@]+:[^/\s:@]+@`)
})
