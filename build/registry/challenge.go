package registry

import (
	"net/http"
	"strings"
)

// challenge is one way in that a WWW-Authenticate header offers (RFC 9110, 11.6.1).
type challenge struct {
	scheme string // "basic" or "bearer", lower case; others are kept and never chosen
	params map[string]string
}

// maxChallenges bounds what a hostile header can make us hold.
const maxChallenges = 16

// parseChallenges reads every WWW-Authenticate header. What cannot be read ends that header; what came before it stands.
func parseChallenges(header http.Header) []challenge {
	var found []challenge
	for _, value := range header.Values("WWW-Authenticate") {
		rest := value
		for len(found) < maxChallenges {
			var c challenge
			var ok bool
			if c, rest, ok = nextChallenge(rest); !ok {
				break
			}
			found = append(found, c)
		}
	}
	return found
}

// nextChallenge reads "Scheme k=v, k="v", ..." up to the next scheme.
func nextChallenge(s string) (challenge, string, bool) {
	scheme, rest := token(strings.TrimLeft(s, " \t,"))
	if scheme == "" {
		return challenge{}, "", false
	}
	c := challenge{scheme: strings.ToLower(scheme), params: map[string]string{}}
	rest = afterToken68(rest)
	for {
		key, value, after, ok := nextParam(rest)
		if !ok {
			return c, rest, true
		}
		if _, twice := c.params[key]; !twice {
			c.params[key] = value
		}
		rest = after
	}
}

// afterToken68 passes over the single value that some schemes have instead of parameters, as Negotiate (RFC 9110, 11.2).
func afterToken68(s string) string {
	_, rest := token(strings.TrimLeft(s, " \t"))
	rest = strings.TrimLeft(strings.TrimLeft(rest, "="), " \t")
	if rest != "" && rest[0] != ',' {
		return s // a parameter, or the next scheme
	}
	return rest
}

// nextParam reads one k=v, quoted or not; not ok is the next challenge, or the end.
func nextParam(s string) (key, value, rest string, ok bool) {
	key, rest = token(strings.TrimLeft(s, " \t,"))
	rest = strings.TrimLeft(rest, " \t")
	if key == "" || !strings.HasPrefix(rest, "=") {
		return "", "", "", false
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if strings.HasPrefix(rest, `"`) {
		value, rest, ok = quoted(rest[1:])
		return strings.ToLower(key), value, rest, ok
	}
	value, rest = token(rest)
	return strings.ToLower(key), value, rest, true
}

// quoted reads up to the closing quote, with its backslashes taken off.
func quoted(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// token reads the characters of a token (RFC 9110, 5.6.2) and of a token68, which some registries leave unquoted.
func token(s string) (tok, rest string) {
	end := strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),;<=>?@[\]{}`, r)
	})
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}
