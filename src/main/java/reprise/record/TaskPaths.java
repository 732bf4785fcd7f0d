package reprise.record;

/** The files that tasks mean by their paths, from where the recorder stands. */
final class TaskPaths {
    /** Longest path, in characters, that is followed: with a prefix and in UTF-8 it must fit PATH_MAX. */
    private static final int LONGEST = 1000;

    private static final String SELF = "/proc/self/";
    private static final String THREAD_SELF = "/proc/thread-self/";

    private TaskPaths() {}

    /** What a descriptor of the task is open on. */
    static String ofDescriptor(RecordedTask task, long descriptor) {
        return "/proc/" + task.tid() + "/fd/" + (int) descriptor;
    }

    /** A path that is relative to the task's current directory, if it is not absolute; null if it is too long. */
    static String resolve(RecordedTask task, String path) {
        return resolve(task, "/proc/" + task.tid() + "/cwd/", path);
    }

    /** A path that is relative to an open directory, AT_FDCWD among them; null if it is too long. */
    static String resolve(RecordedTask task, long directory, String path) {
        // AT_FDCWD
        String base = (int) directory == -100 ? "/proc/" + task.tid() + "/cwd" : ofDescriptor(task, directory);
        return resolve(task, path.isEmpty() ? base : base + "/", path);
    }

    private static String resolve(RecordedTask task, String base, String path) {
        if (path.length() > LONGEST) {
            return null;
        }
        if (path.startsWith(SELF)) {
            return "/proc/" + task.tid() + "/" + path.substring(SELF.length());
        }
        if (path.startsWith(THREAD_SELF)) {
            return "/proc/" + task.tid() + "/" + path.substring(THREAD_SELF.length());
        }
        return path.startsWith("/") ? "/proc/" + task.tid() + "/root" + path : base + path;
    }
}
