package lists


// Current is what tags named at one moment.
type Current struct{}

