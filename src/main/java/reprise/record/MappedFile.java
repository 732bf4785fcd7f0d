package reprise.record;

/** A file or shared object that some recorded process has mapped. Owned by {@link MappedFiles}. */
final class MappedFile {
    final long device;
    final long inode;
    /** Number of the shared object in the trace; 0 while only private mappings exist. */
    int object;
    /** Bytes of the shared object as the trace knows it. */
    long objectSize;
    /** Whether a part was written that no shared mapping showed: the object at replay has not followed. */
    boolean stale;
    /** Whether a recorded call wrote to the file while it was mapped. */
    boolean changed;
    /** Number of its copy in the trace that private mappings show; 0 if there is none. */
    int stored;
    /** Its bytes as private mappings show them in the trace. */
    long privateSize;
    /** Whether some mapping of it is shared and may be written. */
    boolean writable;
    /** Whether it was made by memfd_create: what is written to it shows in private mappings that nobody has written to. */
    boolean inMemory;
    /** Its system call instructions. */
    final CallSites sites = new CallSites();

    MappedFile(long device, long inode) {
        this.device = device;
        this.inode = inode;
    }
}
