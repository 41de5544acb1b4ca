package storetest

var ledgerTests = []test{}
