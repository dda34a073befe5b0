#!/bin/sh
# Makes the default model from all-MiniLM-L6-v2 and the data of its card.
#
#     make.sh TRIREME MINILM DATA OUT
#
# TRIREME is the program, MINILM and DATA are folders (DATA with sst2/ and stsb/), and OUT gets the
# trainings and default.trireme. It takes some two hours on two cores; begun again, it goes on.
set -eu
if [ $# -ne 4 ]; then
    echo "usage: make.sh TRIREME MINILM DATA OUT" >&2
    exit 2
fi
trireme=$1 minilm=$2 data=$3 out=$4
here=$(dirname "$0")
mkdir -p "$out"

# Does what is not done yet.
step() {
    name=$1
    shift
    [ -f "$out/$name/run.json" ] || "$trireme" "$@" --output "$out/$name" --resume
}
taught() {
    name=$1
    shift
    step "$name" distill "$here/$name.toml" --set data="$data" --set minilm="$minilm" \
        --set teacher="$out/teacher/model" "$@"
}

step teacher train classify --model "$minilm" --data "$data/sst2/train.tsv" --labels negative,positive \
    --epochs 2 --rate 4e-5 --held-out 0.015 --evaluate-every 700 --seed 1 --max-length 64
taught first
taught second --set first="$out/first/model"
"$trireme" quantize --model "$out/second/model" --output "$out/default.trireme"
