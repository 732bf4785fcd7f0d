# The slow path of ./reprise, which sources this file when something has to be made first: the jar or the
# ahead-of-time cache. Everything runs in subshells and writes to standard error only.
# shellcheck shell=sh disable=SC2154

# one_at_a_time LOCK COMMAND...: runs COMMAND while no other launcher does.
one_at_a_time() (
    lock=$1
    shift
    if command -v flock >/dev/null; then
        exec 9>>"$lock"
        flock 9
    fi
    "$@" 9>&-
)

# build: makes target/reprise.jar, unless another launcher did so while this one waited.
build() {
    jar_is_fresh && return
    if ! command -v mvn >/dev/null; then
        echo 'reprise: Maven is needed to build Reprise: install it (package "maven"), or use a packaged Reprise' >&2
        return 1
    fi
    if ! [ -x "$jdk/bin/javac" ]; then
        echo "reprise: building needs a JDK, and $jdk has no compiler: set REPRISE_JAVA_HOME" >&2
        return 1
    fi
    echo 'reprise: building, once...' >&2
    cd -- "$home" || return
    log=$home/target/build.log
    begin=$home/target/.build.begin
    : >"$begin"
    export JAVA_HOME="$jdk"
    if mvn -q -B -Dmaven.test.skip=true -Dmaven.compiler.failOnWarning=false package \
        </dev/null >"$log" 2>&1; then
        # Maven leaves a jar alone that would not change. Its time is to say which sources it was made from.
        touch -r "$begin" "$jar"
        return 0
    fi
    head -n 20 "$log" >&2
    echo "reprise: the build failed; all of it is in $log" >&2
    return 1
}

# ensure_jar: builds where that is possible; a jar older than its sources is better than none where it is not.
ensure_jar() {
    if mkdir -p "$home/target" 2>/dev/null && [ -w "$home/target" ]; then
        one_at_a_time "$home/target/.build.lock" build
    elif [ -f "$jar" ]; then
        echo "reprise: older than its sources, and $home/target is not yours to build in" >&2
    else
        echo "reprise: not built yet, and $home/target is not yours to build in" >&2
        return 1
    fi
}

# train: makes the ahead-of-time cache from a run of typical commands (src/main/resources/reprise/cli/training.txt).
# Leaves an empty file when that fails, so as not to try again until the jar changes.
train() {
    cache_is_fresh && return
    new=$cache.new
    rm -f "$new"
    if command -v timeout >/dev/null; then limit='timeout 120'; else limit=; fi
    unset JDK_JAVA_OPTIONS JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_AOT_VM_OPTIONS
    # As the launcher starts it.
    # shellcheck disable=SC2086
    if REPRISE_ENVIRON=$environ LC_ALL=C.UTF-8 $limit "$jdk/bin/java" $jvm_flags \
            -XX:AOTCacheOutput="$new" -XX:ErrorFile="$cache.crash" \
            -Dreprise.sigign=0 -Dreprise.sigblk=0 -Dreprise.fds=0,1,2 \
            -cp "$jar" reprise.cli.Main --training-run \
            </dev/null >"$cache.log" 2>&1 && [ -s "$new" ]; then
        mv -f "$new" "$cache"
    else
        rm -f "$new"
        : >"$cache"
    fi
    # Caches of other JDKs, or of this one before an update, that nobody used for long.
    find "${cache%/*}" -maxdepth 1 -name 'reprise-*.aot*' -atime +90 -exec rm -f {} + 2>/dev/null
}

# ensure_cache: makes the ahead-of-time cache where 'cache' says. Never fails: without one Reprise only starts slower.
ensure_cache() {
    mkdir -p "${cache%/*}" 2>/dev/null && [ -w "${cache%/*}" ] || return 0
    one_at_a_time "${cache%/*}/.cache.lock" train 2>/dev/null
    return 0
}
