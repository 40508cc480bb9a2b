package modules

import (
	"encoding/xml"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// uwsgiFile are the settings of a file's section, but for those under a condition (if-env = X ... endif =).
func uwsgiFile(by, text, wanted string) (list []uwsgiSetting) {
	switch path.Ext(by) {
	case ".xml":
		return uwsgiXML(by, text)
	case ".json", ".js":
		return uwsgiJSON(by, text, wanted)
	}
	between, section, conditions := "=", "", 0
	if strings.HasPrefix(path.Ext(by), ".y") {
		between = ":"
	}
	for whole := range strings.Lines(text) {
		line := strings.TrimSpace(whole)
		key, value, ok := strings.Cut(line, between)
		switch key = strings.TrimSpace(key); {
		case line == "" || strings.ContainsAny(line[:1], "#;"):
		case line[0] == '[', between == ":" && whole[0] > ' ':
			section = strings.Trim(key, "[]")
		case !ok || section != wanted:
		case strings.HasPrefix(key, "if"):
			conditions++
		case key == "endif":
			conditions--
		case conditions <= 0:
			list = append(list, uwsgiSetting{key, strings.Trim(strings.TrimSpace(value), `"'`), by})
		}
	}
	return list
}

// uwsgiJSON are the settings of a file that has them as an object's, or several of one name in an array.
func uwsgiJSON(by, text, wanted string) (list []uwsgiSetting) {
	for key, value := range gjson.Parse(text).Map()[wanted].Map() {
		for _, one := range values(value) {
			list = append(list, uwsgiSetting{key, one, by})
		}
	}
	slices.SortStableFunc(list, func(a, b uwsgiSetting) int { return strings.Compare(a.key, b.key) })
	return list
}

// uwsgiXML are the settings of a file that has each as an element: <uwsgi><plugin>python3</plugin></uwsgi>.
func uwsgiXML(by, text string) (list []uwsgiSetting) {
	var open []string
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false
	for {
		token, err := d.Token()
		if err != nil {
			return list
		}
		switch token := token.(type) {
		case xml.StartElement:
			open = append(open, token.Name.Local)
		case xml.EndElement:
			open = open[:max(0, len(open)-1)]
		case xml.CharData:
			if value := strings.TrimSpace(string(token)); len(open) > 1 && open[len(open)-2] == "uwsgi" && value != "" {
				list = append(list, uwsgiSetting{open[len(open)-1], value, by})
			}
		}
	}
}
