package reprise.tracee;
