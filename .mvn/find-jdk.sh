# find_jdk prints the home of a JDK 25 or later; sourced by ./espalier and the scripts of bench/.

is_jdk() { # DIR: a JDK of release 25 or later, with a compiler
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] &&
    [ "$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")" -ge 25 ] 2>/dev/null
}

find_jdk() {
  local java dir
  java=$(command -v javac 2>/dev/null || true)
  for dir in "${JAVA_HOME:-}" "${java:+$(dirname "$(dirname "$(readlink -f "$java")")")}" \
    /usr/lib/jvm/* /opt/jdk* /opt/java/* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    if [ -n "$dir" ] && is_jdk "$dir"; then
      echo "$dir"
      return
    fi
  done
  echo "espalier: no JDK 25 found; install one (https://adoptium.net) or set JAVA_HOME to it" >&2
  return 1
}
