package targets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/magefile/mage/mg"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/build/registry"
)

// Manifest holds what works on manifest lists in registries, whoever has built their images.
type Manifest mg.Namespace

// Create publishes a list of images (SOURCES: tags, digests or lists, separated by commas; PLATFORM=REF declares one).
func (Manifest) Create(ctx context.Context, target, sources string, annotations, mediaType, tags *string, ignoreMissing, forcePlatform, deep, json *bool) error {
	return listing(ctx, split(target, sources), func(ctx context.Context, l *list) error {
		from, err := lists.ParseSources(sources)
		if err != nil {
			return err
		}
		opts, err := l.options(annotations, mediaType, tags)
		if err != nil {
			return err
		}
		opts.IgnoreMissing, opts.ForcePlatform, opts.Deep = is(ignoreMissing), is(forcePlatform), is(deep)
		made, err := lists.Create(ctx, l.client, lists.Split(target), from, opts)
		return l.created(made, err, json)
	})
}

// Fromargs publishes a list of images whose names follow from PLATFORMS: ARCH, OS, VARIANT, ARCHVARIANT in TEMPLATE.
func (Manifest) Fromargs(ctx context.Context, platformList, template, target string, annotations, mediaType, tags *string, ignoreMissing, forcePlatform, deep, json *bool) error {
	return listing(ctx, split(target, template), func(ctx context.Context, l *list) error {
		opts, err := l.options(annotations, mediaType, tags)
		if err != nil {
			return err
		}
		opts.IgnoreMissing, opts.ForcePlatform, opts.Deep = is(ignoreMissing), is(forcePlatform), is(deep)
		made, err := lists.FromArgs(ctx, l.client, platformList, template, target, opts)
		return l.created(made, err, json)
	})
}

// Fromspec publishes the list that a YAML file describes, in manifest-tool's format.
func (Manifest) Fromspec(ctx context.Context, file string, annotations, mediaType, tags *string, ignoreMissing, forcePlatform, deep, json *bool) error {
	return listing(ctx, nil, func(ctx context.Context, l *list) error {
		spec, err := lists.ReadSpec(file)
		if err != nil {
			return err
		}
		refs := []string{spec.Target}
		for _, source := range spec.Sources {
			refs = append(refs, source.Ref)
		}
		if err := l.aim(ctx, refs); err != nil {
			return err
		}
		opts, err := l.options(annotations, mediaType, tags)
		if err != nil {
			return err
		}
		opts.IgnoreMissing, opts.ForcePlatform, opts.Deep = is(ignoreMissing), is(forcePlatform), is(deep)
		made, err := lists.FromSpec(ctx, l.client, spec, opts)
		return l.created(made, err, json)
	})
}

// Add puts images into a published list; -replace exchanges those of the same platform.
func (Manifest) Add(ctx context.Context, target, sources string, annotations *string, replace, forcePlatform, deep, json *bool) error {
	return listing(ctx, split(target, sources), func(ctx context.Context, l *list) error {
		from, err := lists.ParseSources(sources)
		if err != nil {
			return err
		}
		opts, err := l.options(annotations, nil, nil)
		if err != nil {
			return err
		}
		opts.ForcePlatform, opts.Deep = is(forcePlatform), is(deep)
		return l.apply(ctx, target, lists.Edit{Add: from, Replace: is(replace)}, opts, json)
	})
}

// Remove takes images out of a published list (ENTRIES: platforms or digests, separated by commas).
func (Manifest) Remove(ctx context.Context, target, entries string, json *bool) error {
	return listing(ctx, split(target), func(ctx context.Context, l *list) error {
		var edit lists.Edit
		for _, word := range lists.Split(entries) {
			which, err := lists.ParseEntry(ctx, l.client, word)
			if err != nil {
				return err
			}
			edit.Remove = append(edit.Remove, which)
		}
		opts, err := l.options(nil, nil, nil)
		if err != nil {
			return err
		}
		return l.apply(ctx, target, edit, opts, json)
	})
}

// Annotate changes what a published list says of ENTRY (a platform, a digest, an image, or "index" for the list itself).
func (Manifest) Annotate(ctx context.Context, target, entry string, annotations, os, arch, variant, osVersion, osFeatures *string, forcePlatform, json *bool) error {
	return listing(ctx, split(target), func(ctx context.Context, l *list) error {
		which, err := lists.ParseEntry(ctx, l.client, entry)
		if err != nil {
			return err
		}
		change := lists.EntryChange{Target: which}
		change.OS, change.Architecture, change.Variant, change.OSVersion = os, arch, variant, osVersion
		if osFeatures != nil {
			change.OSFeatures = append([]string{}, lists.Split(*osFeatures)...)
		}
		if change.Annotations, err = lists.ParseAnnotations(word(annotations)); err != nil {
			return err
		}
		opts, err := l.options(nil, nil, nil)
		if err != nil {
			return err
		}
		opts.ForcePlatform = is(forcePlatform)
		return l.apply(ctx, target, lists.Edit{Changes: []lists.EntryChange{change}}, opts, json)
	})
}

// Inspect shows an image or list as a tree; -platform resolves one as an engine would, -raw gives the exact bytes.
func (Manifest) Inspect(ctx context.Context, ref string, platform *string, raw, referrers, json *bool) error {
	return Inspect(ctx, ref, platform, raw, referrers, json)
}

// Copy brings an image or list to other repositories and registries (TARGETS separated by commas), with attestations and referrers.
func (Manifest) Copy(ctx context.Context, source, targets string, platforms *string, noReferrers, json *bool) error {
	return listing(ctx, split(targets, source), func(ctx context.Context, l *list) error {
		some, err := lists.ParsePlatforms(word(platforms))
		if err != nil {
			return err
		}
		common, err := l.options(nil, nil, nil)
		if err != nil {
			return err
		}
		copied, err := lists.Copy(ctx, l.client, source, lists.Split(targets), lists.CopyOptions{
			Platforms: some, NoReferrers: is(noReferrers), Publish: common.Publish, Progress: common.Progress,
		})
		return l.published(copied, copied.Notices, string(copied.Digest), copied.Size, err, json)
	})
}

// Rm removes a tag; -manifest what it names, -children also the images that nothing else uses. It says what goes, and needs -yes.
func (Manifest) Rm(ctx context.Context, ref string, manifest, children, yes, json *bool) error {
	return listing(ctx, split(ref), func(ctx context.Context, l *list) error {
		plan, err := lists.PlanRemove(ctx, l.client, ref, lists.RemoveOptions{Manifest: is(manifest), Children: is(children)})
		if err != nil {
			return err
		}
		if is(yes) {
			if plan, err = lists.Remove(ctx, l.client, plan); err != nil {
				return err
			}
		}
		if err := l.print(plan, plan.Notices, json); err != nil {
			return err
		}
		return plan.Pending()
	})
}

// Diff compares two images or lists: what one has and the other has not.
func (Manifest) Diff(ctx context.Context, a, b string, json *bool) error {
	return listing(ctx, split(a, b), func(ctx context.Context, l *list) error {
		compared, err := lists.Diff(ctx, l.client, a, b)
		if err != nil {
			return err
		}
		return l.print(compared, nil, json)
	})
}

// Ls lists the tags of a repository with digest, kind, platforms and date; -names their names alone.
func (Manifest) Ls(ctx context.Context, repository string, names, json *bool) error {
	return listing(ctx, split(repository), func(ctx context.Context, l *list) error {
		found, err := lists.Ls(ctx, l.client, repository, lists.LsOptions{Names: is(names), Notice: func(text string) { l.tell([]string{text}) }})
		if len(found.Tags) == 0 && err != nil {
			return err
		}
		return errors.Join(l.print(found, nil, json), err)
	})
}

// Inspect shows an image or list as a tree; -platform resolves one as an engine would, -raw gives the exact bytes.
func Inspect(ctx context.Context, ref string, platform *string, raw, referrers, json *bool) error {
	return listing(ctx, split(ref), func(ctx context.Context, l *list) error {
		opts := lists.InspectOptions{RawOnly: is(raw)}
		if is(referrers) {
			opts.Referrers = l.client
		}
		var err error
		if opts.Platform, err = lists.ParsePlatform(word(platform)); err != nil {
			return err
		}
		tree, err := lists.Inspect(ctx, l.client, ref, opts)
		if err != nil {
			l.tell(tree.Steps) // how far it got
			return err
		}
		if is(raw) {
			_, err := os.Stdout.Write(tree.Raw)
			return err
		}
		return l.print(tree, nil, json)
	})
}

// Why says what is wrong with an image that does not run ("exec format error"), without an engine. Exit code 3 when it would not.
func Why(ctx context.Context, ref string, platform *string, json *bool) error {
	return listing(ctx, split(ref), func(ctx context.Context, l *list) error {
		machine, err := lists.ParsePlatform(word(platform))
		if err != nil {
			return err
		}
		diagnosis, err := lists.Why(ctx, l.client, ref, lists.WhyOptions{Platform: machine, AllowForeign: l.session.cfg.AllowForeign})
		if err != nil {
			return err
		}
		if err := l.print(diagnosis, nil, json); err != nil {
			return err
		}
		return diagnosis.Err()
	})
}

// Fetch writes one platform's image (PLATFORM "any": this machine's) to FILE, for docker load and podman load; FOLDER/ is an OCI layout.
func Fetch(ctx context.Context, ref, platform, file string, json *bool) error {
	return listing(ctx, split(ref), func(ctx context.Context, l *list) error {
		switch platform {
		case "":
			return &config.UsageError{Knob: "PLATFORM", Origin: "command line", Problem: "is empty: name one, such as arm64, or any for this machine's"}
		case "any":
			platform = ""
		}
		which, err := lists.ParsePlatform(platform)
		if err != nil {
			return err
		}
		opts := lists.FetchOptions{Platform: which, Progress: l.progress, Waits: func(path string) {
			l.tell([]string{path + " is a pipe that nobody reads yet: waiting for a reader"})
		}}
		if file == "-" || file == "/dev/stdout" { // where nothing else may be printed
			_, err := lists.Fetch(ctx, l.client, ref, os.Stdout, opts)
			return err
		}
		fetched, err := lists.FetchFile(ctx, l.client, ref, file, opts)
		return l.published(fetched, fetched.Steps, string(fetched.Digest), fetched.Size, err, json)
	})
}

// list is what the targets on lists share.
type list struct {
	session *session
	client  *registry.Client
}

// listKnobs are the knobs that targets on lists go by, and setarch.
func listKnobs() []string {
	return []string{"ALLOW_DROP", "ALLOW_FOREIGN", "INSECURE", "RETRY", "REGISTRY_USER", "REGISTRY_PASSWORD", "V"}
}

// misplaced refuses knobs of the build that a list target has as options: they would do nothing.
func misplaced(words []string) error {
	if follows("build") || follows("push") || follows("plan") {
		return nil // whose they are
	}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		if option := strings.ToLower(name); option == "annotations" || option == "tags" {
			return &config.UsageError{Knob: name, Text: value, Origin: "command line",
				Problem: fmt.Sprintf("is for build and push: for a list write -%s=%s", option, value)}
		}
	}
	return nil
}

// listing runs a target on lists; the first of refs is what it is about.
func listing(ctx context.Context, refs []string, do func(context.Context, *list) error) error {
	return process.run(ctx, nil, func(ctx context.Context, s *session) error {
		l := &list{session: s}
		if err := l.aim(ctx, refs); err != nil {
			return err
		}
		return do(ctx, l)
	})
}

// aim gets a client with the credentials for the first of refs. What of them is in the embedded registry is within reach.
func (l *list) aim(ctx context.Context, refs []string) (err error) {
	for i, text := range refs {
		ref, err := lists.ParseReference(text)
		if err != nil {
			continue // which the operation tells better
		}
		if i == 0 {
			l.session.pipeline.Aim(ref)
		}
		if _, err := l.session.pipeline.Reference(ctx, text); err != nil {
			return err
		}
	}
	l.client, err = l.session.pipeline.Registry()
	return err
}

// options are those that all targets that publish have.
func (l *list) options(annotations, mediaType, tags *string) (opts lists.CreateOptions, err error) {
	if err := misplaced(Words()); err != nil {
		return opts, err
	}
	if opts.Annotations, err = lists.ParseAnnotations(word(annotations)); err != nil {
		return opts, err
	}
	if opts.MediaType, err = lists.ParseMediaType(word(mediaType)); err != nil {
		return opts, err
	}
	opts.Tags = lists.Split(word(tags))
	opts.AllowForeign = l.session.cfg.AllowForeign
	opts.Publish = lists.PublishOptions{AllowDrop: l.session.cfg.AllowDrop}
	opts.Progress = l.progress
	return opts, nil
}

func (l *list) progress(p lists.Progressing) {
	l.session.display.Send(progress.Bytes{Name: "blob " + p.Digest.Encoded()[:12], Current: p.Sent, Total: p.Size, Done: p.Done})
}

func (l *list) created(made lists.Created, err error, json *bool) error {
	return l.published(made, made.Notices, made.Digest, made.Size, err, json)
}

func (l *list) apply(ctx context.Context, target string, edit lists.Edit, opts lists.CreateOptions, json *bool) error {
	edited, err := lists.Apply(ctx, l.client, target, edit, opts)
	return l.published(edited, edited.Notices, edited.Digest, edited.Size, err, json)
}

// published prints a result as manifest-tool prints it: digest and size on stdout, what people want to know on stderr. What
// happened before an error is printed, too.
func (l *list) published(result any, notes []string, digest string, size int64, failed error, asJSON *bool) error {
	l.tell(notes)
	if w, ok := result.(interface{ Warnings() []string }); ok {
		for _, text := range w.Warnings() {
			l.session.display.Send(progress.Warning{Text: text})
		}
	}
	if err := l.session.display.Flush(); err != nil {
		return err
	}
	if failed != nil {
		if t, ok := result.(text); ok {
			_ = show(os.Stderr, t) // the error that matters is the other one
		}
		return failed
	}
	if err := l.output(result, digest); err != nil {
		return err
	}
	if is(asJSON) {
		return writeJSON(result)
	}
	if t, ok := result.(text); ok {
		if err := show(os.Stderr, t); err != nil {
			return err
		}
	}
	_, err := fmt.Printf("Digest: %s %d\n", digest, size)
	return err
}

// output leaves GitHub Actions the digest, and where something was published the one reference to pull, as `build push` does.
func (l *list) output(result any, digest string) error {
	values := []progress.Value{{Name: "digest", Text: digest}}
	if r, ok := result.(interface{ Image() string }); ok && r.Image() != "" {
		values = append(values, progress.Value{Name: "image", Text: r.Image()})
	}
	return progress.AppendOutput(l.session.getenv("GITHUB_OUTPUT"), values...)
}

func (l *list) tell(notes []string) {
	for _, note := range notes {
		l.session.display.Send(progress.Notice{Text: note})
	}
}

// print writes what was asked for to stdout.
func (l *list) print(result text, notes []string, asJSON *bool) error {
	l.tell(notes)
	if err := l.session.display.Flush(); err != nil {
		return err
	}
	if is(asJSON) {
		return writeJSON(result)
	}
	return show(os.Stdout, result)
}

func writeJSON(result any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(result)
}

// split lists all references in some arguments.
func split(arguments ...string) []string {
	var out []string
	for _, word := range lists.Split(strings.Join(arguments, " ")) {
		if _, ref, declared := strings.Cut(word, "="); declared {
			word = ref
		}
		out = append(out, word)
	}
	return out
}

func is(flag *bool) bool { return flag != nil && *flag }

func word(flag *string) string {
	if flag == nil {
		return ""
	}
	return *flag
}
