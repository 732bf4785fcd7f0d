package reprise.replay;

/** Where a {@link Playback} came to a halt. */
enum Halt {
    /** A task is about to run on from the last event. Nothing has run since. */
    ENTERED,
    /** At an armed address. */
    ADDRESS,
    /** An access to watched memory was made. */
    ACCESS,
    /** One instruction was executed. */
    STEPPED,
    /** The time set has passed, or somebody interrupts. */
    TIME,
    /** All that comes before the next event has run. */
    BEFORE_EVENT,
    /** An event was applied. */
    APPLIED,
    /** There is no further event. */
    END
}
