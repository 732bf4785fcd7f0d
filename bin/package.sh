#!/bin/sh
# Makes packages that run without Maven and sources:
#   target/reprise-VERSION.tar.gz                 needs a JDK or JRE 25 on the machine
#   target/reprise-VERSION-linux-x86_64.tar.gz    brings a runtime of its own, made by jlink
# Either is unpacked anywhere and started as ./reprise there. With -n, packages what is built; otherwise builds first.
set -eu

home=$(cd -- "$(dirname -- "$0")/.." && pwd)
cd -- "$home"
. bin/find-jdk.sh
find_jdk
jar=target/reprise.jar
if [ "${1-}" != -n ]; then
    JAVA_HOME=$jdk mvn -q -B -Dmaven.test.skip=true package
fi
[ -f "$jar" ] || { echo "package.sh: $jar is missing; build first" >&2; exit 1; }
version=$(sed -n 's,^    <version>\(.*\)</version>$,\1,p' pom.xml | head -n 1)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
package=$work/reprise-$version
mkdir -p "$package/bin" "$package/target" "$package/share/man/man1"
cp reprise LICENSE README.md "$package"
cp bin/find-jdk.sh bin/prepare.sh "$package/bin"
cp -r docs "$package/docs"
cp "$jar" "$package/target"
cp -r target/lib "$package/target/lib"
java="$jdk/bin/java --enable-native-access=ALL-UNNAMED -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp $jar reprise.cli.Main"
$java generate-completion >"$package/share/completion.sh"
$java help --man "$package/share/man/man1"

# The same bytes for the same sources.
archive() {
    tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@1767225600 -czf "$1" "reprise-$version"
    echo "$1"
}

archive "target/reprise-$version.tar.gz"

# What the class files name, and what the JVM loads by name: jdk.unsupported has the signals.
modules=java.base,java.logging,jdk.unsupported
if ! "$jdk/bin/jlink" --add-modules "$modules" --strip-java-debug-attributes --no-header-files --no-man-pages \
    --generate-cds-archive --output "$package/runtime" >"$work/jlink.log" 2>&1; then
    echo "package.sh: no package with a runtime, because jlink failed:" >&2
    cat "$work/jlink.log" >&2
    exit 2
fi
archive "target/reprise-$version-linux-x86_64.tar.gz"
