# Finds a JDK, for ./reprise and ./test, which source this file. POSIX sh; starts no process unless all else fails.
# shellcheck shell=sh disable=SC2034

# The oldest Java that runs Reprise.
java_needed=25

# is_jdk DIRECTORY: whether a Java that is new enough lives there. Its 'release' file tells, no JVM is started.
# Sets 'jdk_version' to the exact version.
is_jdk() {
    [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
    jdk_version=
    while read -r release_line; do
        case $release_line in
        JAVA_RUNTIME_VERSION=*)
            jdk_version=${release_line#*=}
            jdk_version=${jdk_version#\"}
            jdk_version=${jdk_version%\"}
            ;;
        JAVA_VERSION=*)
            release_line=${release_line#*=}
            release_line=${release_line#\"}
            release_line=${release_line%\"}
            jdk_version=${jdk_version:-$release_line}
            release_line=${release_line%%[!0-9]*}
            [ "${release_line:-0}" -ge "$java_needed" ]
            return
            ;;
        esac
    done <"$1/release"
    return 1
}

# find_jdk: sets 'jdk' to the directory of a JDK that is new enough, or says what is missing and returns 1.
find_jdk() {
    if [ -n "${REPRISE_JAVA_HOME-}" ]; then
        jdk=$REPRISE_JAVA_HOME
        is_jdk "$jdk" && return
        echo "reprise: REPRISE_JAVA_HOME is $jdk, which is not a JDK $java_needed or newer" >&2
        return 1
    fi
    # A package may bring its own.
    for jdk in "${home:+$home/runtime}" "${JAVA_HOME-}" /usr/lib/jvm/* /opt/* "${HOME-}"/.sdkman/candidates/java/* "${HOME-}"/.jdks/*; do
        [ -n "$jdk" ] && is_jdk "$jdk" && return
    done
    # The java on PATH may be a link into a place not thought of above.
    if jdk=$(command -v java) && jdk=$(readlink -f "$jdk"); then
        jdk=${jdk%/bin/java}
        is_jdk "$jdk" && return
    fi
    cat >&2 <<END
reprise: no JDK $java_needed or newer found. Looked at REPRISE_JAVA_HOME, JAVA_HOME, /usr/lib/jvm, /opt, ~/.sdkman, ~/.jdks, PATH.
Get one in any of these ways:
  Eclipse Temurin       https://adoptium.net, unpacked below /opt or anywhere with REPRISE_JAVA_HOME set
  SDKMAN                sdk install java $java_needed-tem
  Debian, Ubuntu        apt install openjdk-$java_needed-jdk
  Fedora                dnf install java-$java_needed-openjdk-devel
  Arch                  pacman -S jdk$java_needed-openjdk
END
    return 1
}
