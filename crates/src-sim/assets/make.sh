#!/bin/sh
# Makes agent.al and customer.al again: a short sales call in Dutch, spoken by a speech
# synthesiser. Needs the Debian packages espeak-ng and sox. Run it in this folder.
#
# Each line of the call is spoken by one side; while it lasts the other side is silent, so that
# both files have the same length. Raw G.711 A-law, 8 kHz, one byte a sample.
set -eu

frame=160                # samples in one packet of 20 ms; every line starts at a packet's start
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
: > "$work/agent.raw"
: > "$work/customer.raw"

# Appends $2 bytes of A-law silence (0xd5) to the file $1.
silence() {
    head -c "$2" /dev/zero | tr '\000' '\325' >> "$1"
}

# Speaks: $1 who says it, $2 who is silent, $3 voice, $4 pitch, $5 words a minute, $6 text.
say() {
    espeak-ng -v "$3" -p "$4" -s "$5" -w "$work/line.wav" "$6"
    # -D: no dither, so that the same version gives the same bytes.
    sox -D "$work/line.wav" -t raw -r 8000 -c 1 -e a-law "$work/line.al" \
        silence 1 0.02 0.5% reverse silence 1 0.02 0.5% reverse gain -3 highpass 200 gain -n -4
    size=$(wc -c < "$work/line.al")
    pause=$(( (frame - size % frame) % frame + 8 * frame ))
    cat "$work/line.al" >> "$work/$1.raw"
    silence "$work/$1.raw" "$pause"
    silence "$work/$2.raw" $(( size + pause ))
}

agent()    { say agent customer nl 35 180 "$1"; }
customer() { say customer agent nl+f2 65 185 "$1"; }

agent    "Dit gesprek wordt opgenomen als bewijs van onze afspraak."
notice=$(wc -c < "$work/agent.raw")
customer "Ja, dat is goed."
agent    "U neemt glasvezel, voor dertig euro per maand. Klopt dat?"
customer "Dat klopt. Ik ga akkoord."
agent    "Dank u wel. Tot ziens."
customer "Tot ziens."

cp "$work/agent.raw" agent.al
cp "$work/customer.raw" customer.al
echo "bytes a side: $(wc -c < agent.al); the notice ends at byte $notice"
sha256sum agent.al customer.al
