package engine

// podman is Info.Name of an engine that is Podman. It answers Docker's API but
// for these differences:
//
//   - its build cache does not look at the platform, nor at the values of
//     arguments in anything but RUN;
//   - inspect hides fields of the config, so that it cannot be rebuilt;
//   - the result of a build is told in words only;
//   - a request for an archive starts a process, and follows a link in the last place.
const podman = "Podman"
