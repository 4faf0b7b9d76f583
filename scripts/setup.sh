#!/bin/sh
# Sets up everything flightring needs on a bare Debian with Node: apt packages, npm modules, the build, the lab's kernels.
# Usage: scripts/setup.sh [--yes] [--print-only] [--quiet] [--one-kernel]
# The lab's kernels are this release's and the newest one, or with --one-kernel this release's alone.
set -eu

packages="clang llvm libbpf-dev libelf-dev zlib1g-dev bpftool gcc make libc6-dev qemu-system-x86 busybox-static kmod iproute2
iputils-ping ethtool dpkg-dev xz-utils procps util-linux ca-certificates chromium"
oldest_debian=12
oldest_node=20.19

yes=no print_only=no quiet=no newest=yes
for argument in "$@"; do
	case $argument in
	--yes | -y) yes=yes ;;
	--print-only) print_only=yes ;;
	--quiet | -q) quiet=yes ;;
	--one-kernel) newest=no ;;
	*)
		echo "setup: unknown option $argument; the options are --yes, --print-only, --quiet and --one-kernel" >&2
		exit 2
		;;
	esac
done

cd "$(dirname "$0")/.."

fail() {
	echo "setup: $*" >&2
	exit 3
}

say() {
	[ $quiet = yes ] || echo "$*"
}

# Runs one step, or prints it; with --quiet its output is shown only when it fails.
step() {
	if [ $print_only = yes ]; then
		echo "$*"
		return 0
	fi
	say "setup: $*"
	if [ $quiet = no ]; then
		"$@"
		return
	fi
	log=$(mktemp)
	if "$@" >"$log" 2>&1; then
		rm -f "$log"
	else
		status=$?
		tail -n 20 "$log" >&2
		rm -f "$log"
		return $status
	fi
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		step env DEBIAN_FRONTEND=noninteractive "$@"
	elif command -v sudo >/dev/null; then
		step sudo env DEBIAN_FRONTEND=noninteractive "$@"
	elif [ $print_only = yes ]; then
		echo "su -c 'env DEBIAN_FRONTEND=noninteractive $*'"
	else
		fail "installing with apt needs root: run this as root, or install sudo first"
	fi
}

check_machine() {
	[ "$(uname -sm)" = "Linux x86_64" ] || fail "flightring is set up on Linux on x86_64 only, this is $(uname -sm)"
	id='' version=''
	if [ -r /etc/os-release ]; then
		id=$(. /etc/os-release && echo "${ID:-}")
		version=$(. /etc/os-release && echo "${VERSION_ID:-$oldest_debian}")
	fi
	[ "$id" = debian ] && [ "${version%%.*}" -ge $oldest_debian ] ||
		fail "this set-up knows Debian $oldest_debian and newer, this is ${id:-an unknown system} $version"
	command -v node >/dev/null && command -v npm >/dev/null || fail "node and npm $oldest_node or newer are needed and not found"
	node -e "const [a, b] = process.versions.node.split('.').map(Number);
		const [c, d] = '$oldest_node'.split('.').map(Number);
		process.exit(a > c || (a === c && b >= d) ? 0 : 1)" ||
		fail "node $(node --version) is too old, $oldest_node or newer is needed"
}

list_missing() {
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages 2>/dev/null | sed -n 's/^installed //p')
	for package in $packages; do
		echo "$installed" | grep -qx "$package" || printf '%s ' "$package"
	done
}

npm_is_current() {
	[ -e node_modules/.package-lock.json ] && [ -z "$(find package-lock.json -newer node_modules/.package-lock.json)" ]
}

# apt writes into this folder whenever it asks a mirror, also when nothing is new there.
lists_are_fresh() {
	[ -n "$(find /var/lib/apt/lists/partial -maxdepth 0 -mtime -1 2>/dev/null)" ] &&
		apt-cache show --no-all-versions linux-image-amd64 $missing >/dev/null 2>&1
}

# Old lists name packages that are gone, and not the kernel that this release has now. Without a network, or without root,
# they must do for what is there already.
refresh_lists() {
	if lists_are_fresh; then return; fi
	if [ "$(id -u)" != 0 ] && [ $print_only = no ] && ! sudo -n true 2>/dev/null; then
		say "setup: apt's lists are missing or older than a day, and refreshing them needs root"
		return
	fi
	as_root apt-get update -q --error-on=any || echo "setup: apt-get update failed, so apt's lists stay as they are; is there a network?" >&2
}

announce() {
	[ -z "$missing" ] || say "setup: apt will install: $missing"
	case " $missing " in *" busybox-static "*)
		[ ! -e /bin/busybox ] || say "setup: busybox-static takes the place of busybox"
		;;
	esac
	[ $npm = no ] || say "setup: npm will install the $(grep -c '^    "node_modules/' package-lock.json) packages of package-lock.json into node_modules"
}

confirm() {
	[ $yes = no ] && [ -t 0 ] || return 0
	printf 'setup: go on? [Y/n] '
	read -r answer || answer=n
	case $answer in '' | y | Y | yes) ;; *) fail "nothing was changed" ;; esac
}

install_packages() {
	as_root apt-get install -y -q --no-install-recommends $missing && return
	# A mirror may have changed since its lists were read.
	as_root apt-get update -q || fail "apt-get update failed; is there a network?"
	as_root apt-get install -y -q --no-install-recommends $missing || fail "apt could not install: $missing"
}

prepare_lab() {
	step node_modules/.bin/tsx src/lab/prepare-main.ts && return
	as_root apt-get update -q || fail "apt-get update failed; is there a network?"
	step node_modules/.bin/tsx src/lab/prepare-main.ts || fail "the lab's kernel could not be prepared"
}

prepare_newest() {
	step node_modules/.bin/tsx src/lab/prepare-main.ts newest || fail "the newest kernel could not be prepared"
}

check_machine
missing=$(list_missing)
npm=no
npm_is_current || npm=yes
if [ -n "$missing" ] || [ $npm = yes ]; then
	[ $print_only = yes ] || announce
	[ $print_only = yes ] || confirm
fi
refresh_lists
[ -z "$missing" ] || install_packages
[ $npm = no ] || step npm install --no-save --include=dev --no-audit --no-fund || fail "npm install --no-save failed; is there a network?"
step npm run --silent --if-present build || fail "the build failed"
prepare_lab
[ $newest = no ] || prepare_newest
