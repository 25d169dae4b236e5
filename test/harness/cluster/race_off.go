//go:build !race

package cluster

const raceDetector = false

// Slowness is by how much longer everything takes than without the race detector, at a guess.
const Slowness = 1
