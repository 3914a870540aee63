#!/usr/bin/env bash
# packages_test.sh ROOT BUILD: makes the Debian packages of a tree that is built, lays them out in a root of their own, and
# uses them there: the program, its service, its manual, its completion, and the library to build a domain with.
set -euo pipefail

source=$1
build=$2
cmake=${CMAKE:-cmake}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
complain() { echo "packages: $*" >&2 && failed=1; }
step() { printf -- '--- %s\n' "$*"; }

step "make the packages"
"$source/scripts/package.sh" --build "$build" --output "$work/debs"
cd "$work"
mkdir control
for name in libsluice0 libsluice-dev sluice; do
    file=(debs/"$name"_*.deb)
    [[ ${#file[@]} == 1 && -s ${file[0]} ]] || { complain "there is no package $name" && exit 1; }
    dpkg-deb -x "${file[0]}" root
    dpkg-deb -e "${file[0]}" "control/$name"
    for script in control/"$name"/{postinst,prerm,postrm}; do [[ ! -e $script ]] || sh -n "$script"; done
done
field() { dpkg-deb -f debs/"$1"_*.deb "$2"; }
has() { grep -qE "$3" <<<"$(field "$1" "$2")" || complain "$1: $2 lacks $3: $(field "$1" "$2")"; }

step "each depends on what it needs"
version=$(field sluice Version)
has libsluice0 Depends 'libc6 .*libfmt9'
has libsluice-dev Depends "libsluice0 \(= $version\), libboost1.81-dev"
has sluice Depends "libsluice0 \(= $version\)"
for library in libpq5 libsqlite3-0 libhiredis0.14 librdkafka1 librabbitmq4 libnats3.4 libsystemd0; do
    has sluice Depends "$library( |,|$)"
done
grep -q '^libsluice 0\.[0-9]* libsluice0 (= ' control/libsluice0/shlibs || complain "no shlibs: dependents know no package"
grep -q ldconfig control/libsluice0/triggers || complain "the linker's cache is not renewed"
if command -v apt-get >/dev/null && [[ -n $(ls /var/lib/apt/lists/*Packages* 2>/dev/null) ]]; then
    apt-get -s -o Debug::NoLocking=1 install ./debs/*.deb >simulated 2>&1 || { complain "apt cannot install them" && tail simulated >&2; }
fi

step "the program finds its library and all others"
sluice=$work/root/usr/bin/sluice
env -i ldd "$sluice" >libraries
! grep 'not found' libraries || complain "a library is missing"
[[ $(realpath "$(sed -n 's/.*libsluice\.so.* => \(.*\) (.*/\1/p' libraries)") == "$work"/root/usr/lib/libsluice.so.* ]] ||
    complain "it does not find its own library: $(grep libsluice libraries)"
[[ $("$sluice" version) == sluice\ "$version"* ]] || complain "version: $("$sluice" version)"

step "manual, completion, example and service are there"
for page in sluice sluice-server sluice-doctor; do
    grep -q '^\.TH' <<<"$(gzip -cdf root/usr/share/man/man1/$page.1*)" || complain "no manual page $page"
done
for file in bash-completion/completions/sluice zsh/vendor-completions/_sluice fish/vendor_completions.d/sluice.fish; do
    [[ -s root/usr/share/$file ]] || complain "no /usr/share/$file"
done
"$sluice" --config root/usr/share/doc/sluice/examples/domain.toml config show outbox >/dev/null || complain "the example is no configuration"
# On a system merged into /usr, /lib is a link to it.
unit=$(find root -name 'sluice@.service')
[[ $unit ]] || complain "no service"
if command -v systemd-analyze >/dev/null; then
    # With the program where it is now, and without the manual, which is not installed in this system.
    sed -e "s|=/usr/bin/sluice|=$sluice|" -e /^Documentation=/d "$unit" >"sluice@.service"
    faults=$(systemd-analyze verify "./sluice@.service" 2>&1 | grep -F 'sluice@' || true)
    [[ ! $faults ]] || complain "systemd: $faults"
    systemd-analyze security --offline=true --threshold=20 "./sluice@.service" >exposure 2>&1 ||
        complain "the service is exposed: $(tail -n 1 exposure)"
fi

step "a domain is built with the packages and runs"
"$cmake" -S "$source/tests/packages/domain" -B domain -G Ninja -DCMAKE_PREFIX_PATH="$work/root/usr" >/dev/null
"$cmake" --build domain >log || { cat log >&2 && exit 1; }
cd domain
printf '[brokers.default]\nprovider = "inline"\n' >domain.toml
told=$("$sluice" --domain=./libgreeter.so process Greet '{"guest_id": "g-1"}')
[[ $told == *"Greet processed"* ]] || complain "no command: $told"
told=$("$sluice" --domain=./libgreeter.so events list --json)
[[ $told == *Greeter.Greeted* ]] || complain "no event: $told"
exit "$failed"
