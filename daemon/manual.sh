#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual page, from what the program says of itself: manual.sh TRAINVET VERSION PAGE
set -eu
trainvet=$1 version=$2
exec >"$3"
day=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y "$trainvet")}" +%F)

# Text that roff takes as it stands.
verbatim() {
    printf '.EX\n'
    sed -e 's/\\/\\e/g' -e "s/^[.']/\\\\\\&&/" -e 's/-/\\-/g'
    printf '.EE\n'
}

# $1: type of the rows wanted. Names, one a line.
names() { "$trainvet" list --json | sed -n "s/.*\"type\":\"$1\",\"name\":\"\([a-z_]*\)\".*/\1/p"; }

commands() { "$trainvet" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'; }

cat <<EOF
.TH TRAINVET 1 "$day" "trainvet $version" "User Commands"
.SH NAME
trainvet \\- monitor and diagnostics for training logs
.SH SYNOPSIS
.B trainvet
.I COMMAND
.RI [ OPTION ...]
.RI [ OPERAND ...]
.SH DESCRIPTION
EOF
"$trainvet" --help | verbatim
echo '.SH COMMANDS'
for command in $(commands); do
    printf '.SS trainvet %s\n' "$command" | sed 's/-/\\-/g'
    "$trainvet" "$command" --help | verbatim
done
echo '.SH DETECTORS'
for name in $(names detector); do
    printf '.SS %s\n' "$name"
    "$trainvet" explain "$name" | verbatim
done
echo '.SH SINKS'
for name in $(names sink); do
    printf '.SS %s\n' "$name"
    "$trainvet" explain "$name" | verbatim
done
echo '.SH CONFIGURATION OF THE SERVICE'
verbatim <"$(dirname "$0")/../systemd/trainvet.yaml"
cat <<'EOF'
.SH FILES
.TP
.I /etc/trainvet/trainvet.yaml
the service's configuration; more of it in
.I /etc/trainvet/trainvet.d/*.yaml
.TP
.I $STATE_DIRECTORY
or
.I $XDG_STATE_HOME/trainvet
what the service has told and still owes
.SH EXIT STATUS
0: nothing found at or above
.BR \-\-fail\-on ;
1: findings; 2: wrong usage or configuration; 3: some input was unreadable or damaged, and what
could be read was diagnosed.
.SH ENVIRONMENT
.TP
.B NO_COLOR
no colours on a terminal
.SH SEE ALSO
.BR systemd.service (5),
.BR journalctl (1)
EOF
