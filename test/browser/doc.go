// Package browser tries the console in a real browser, against real nodes.
package browser
