// Package ui draws the windows of Platen with Fyne: identification, balance, details, settings. It shows the models of
// tray/view and turns clicks into actions for the resident; it knows no tokens, no server and no states of its own, and
// with the programs's main it is the only place that imports Fyne.
//
// There is one window with one page at a time. Everything in it belongs to Fyne's thread; what comes from the resident
// enters by fyne.Do.
package ui
