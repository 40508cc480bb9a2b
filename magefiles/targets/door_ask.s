// This file has no code. It is here so that the compiler accepts mageMain in door_ask.go, which has no body.
