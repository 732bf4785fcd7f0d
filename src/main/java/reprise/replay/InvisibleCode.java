package reprise.replay;

import reprise.tracee.RuntimePage;

/** Code in a process that is ours and not the program's: stepping goes through it as if it were not there. */
final class InvisibleCode {
    private InvisibleCode() {}

    static boolean contains(long address) {
        return address >= RuntimePage.ADDRESS && address < Carrier.OWN_END;
    }
}
