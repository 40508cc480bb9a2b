package engine

import "testing"

func TestSaidLeavesWhatHappened(t *testing.T) {
	for text, want := range map[string]string{
		`Put "https://reg.lan/v2/me/certificate-manager/blobs/uploads/1?a=b": EOF`:           "Put NAME EOF",
		`Get https://r/v2/: dial tcp 127.0.0.1:401: connect: connection refused`:             "Get NAME dial tcp NAME: connect: connection refused",
		`unexpected status from PUT request to http://r/v2/a/manifests/1: 409 Conflict`:      "unexpected status from PUT request to MANIFEST 409 Conflict",
		`failed to resolve reg.lan:5000/me/forbidden-island:1.2.401@sha256:00: i/o timeout`:  "failed to resolve NAME: i/o timeout",
		`The image tag '401' already exists in the 'denied' repository`:                      "The image tag NAME already exists in the NAME repository",
		`lookup denied.example on 10.0.0.1:53: no such host; a.forbidden:1.401 is not there`: "lookup NAME on NAME: no such host; NAME is not there",
		`unauthorized: authentication required`:                                              "unauthorized: authentication required",
	} {
		if got := said(text, "denied.example/a.forbidden:1.401"); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", text, got, want)
		}
	}
}
