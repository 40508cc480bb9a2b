package git

// Labels are the OCI labels org.opencontainers.image.{revision,source,version,created} of an image of the given version,
// without those that are unknown. created is the commit's time, so that the same commit gives the same image.
func (i Info) Labels(version string) map[string]string { return nil }
