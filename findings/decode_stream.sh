#!/usr/bin/env bash
# What Hugging Face's `DecodeStream` gives, token by token, of a text that ends oddly.
#
# tokenizers 0.23.3, with a tokenizer of its own in which each byte is a token, so that
# an emoji is four. `DecodeStream.step` takes one token, and returns a text, or None as
# long as a character is not whole.
#
# Guessed before it was run: joined, the steps give what `decode` gives of all the tokens
# at once, since half a character is held back, not dropped.
# Seen: not where a text ends in U+FFFD, the character for what cannot be read: be it
# half an emoji, at a limit of tokens, or one that the text truly has. The last piece is
# never given, and there is no second method that would ask for it.
#
# Seen on 28 November 2026 with Python 3.11, as below. Fails if it sees anything else:
# `bash findings/decode_stream.sh`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check tokenizers==0.23.3

cat >seen.py <<'END'
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.decoders import DecodeStream

alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
vocabulary = {letter: number for number, letter in enumerate(alphabet)}
tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()

TEXTS = {
    "an emoji, then more": ("Hi \U0001f600!", None),
    "an emoji at the end": ("Hi \U0001f600", None),
    "half an emoji, then more": ("Hi \U0001f600!", slice(5, 7)),
    "half an emoji at the end": ("Hi \U0001f600", slice(5, 7)),
    "a U+FFFD of its own, then more": ("Hi \ufffd!", None),
    "a U+FFFD of its own at the end": ("Hi \ufffd", None),
}
for name, (text, dropped) in TEXTS.items():
    tokens = tokenizer.encode(text).ids
    if dropped:
        del tokens[dropped]
    stream = DecodeStream()
    pieces = [stream.step(tokenizer, token) for token in tokens]
    joined = "".join(piece or "" for piece in pieces)
    print(f"{name:31} whole {tokenizer.decode(tokens)!a:14} steps {joined!a}")
print(*(method for method in dir(DecodeStream) if not method.startswith("_")))
END

venv/bin/python seen.py >seen.txt
cat seen.txt
diff seen.txt - <<'END'
an emoji, then more             whole 'Hi \U0001f600!' steps 'Hi \U0001f600!'
an emoji at the end             whole 'Hi \U0001f600' steps 'Hi \U0001f600'
half an emoji, then more        whole 'Hi \ufffd!'   steps 'Hi \ufffd!'
half an emoji at the end        whole 'Hi \ufffd'    steps 'Hi '
a U+FFFD of its own, then more  whole 'Hi \ufffd!'   steps 'Hi \ufffd!'
a U+FFFD of its own at the end  whole 'Hi \ufffd'    steps 'Hi '
step
END
echo "As it was seen."
