using System.Text;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Signing;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Trust.TransparencyLog;

public sealed class SignedNoteTests : IDisposable
{
    private const string Origin = "slipway.example/ledger/1";

    private readonly SigningKey key = SigningKey.Create();

    private readonly Digest root = MerkleVectors.Leaf(1);

    public void Dispose() => key.Dispose();

    [Fact]
    public void Published_notes_are_read_and_their_keys_which_are_of_another_type_are_not_trusted()
    {
        foreach (var vector in MerkleVectors.Read("signed-note.json").EnumerateArray())
        {
            var note = SignedNote.Read(Encoding.UTF8.GetBytes(vector.GetProperty("note").GetString()!));
            Assert.NotNull(note);
            var (name, id) = vector.GetProperty("vkey").GetString()!.Split('+') is [var first, var second, _] ? (first, Convert.ToUInt32(second, 16)) : default;
            Assert.Contains(note.Signatures, signature => (signature.KeyName, signature.KeyId) == (name, id));
            Assert.Equal(Names(vector, "verified").Concat(Names(vector, "unverified")).Order(), note.Signatures.Select(signature => signature.KeyName).Order());
            Assert.StartsWith(note.Text, vector.GetProperty("note").GetString());
            Assert.Contains("expected 2 (ECDSA)", Assert.Throws<FormatException>(() => NoteKey.Parse(vector.GetProperty("vkey").GetString()!)).Message);
            Assert.Equal(SignedNote.Verdict.NoTrustedSignature, note.Verify(new NoteKey(name, key.PublicKey)));
        }
    }

    [Fact]
    public void Published_checkpoints_are_read()
    {
        var example = MerkleVectors.Read("checkpoint-examples.json").GetProperty("checkpoint").GetString()!;
        var note = SignedNote.Read(Encoding.UTF8.GetBytes(example))!;
        Assert.Equal(["example.com/behind-the-sofa", "witness.example.com/w1"], note.Signatures.Select(signature => signature.KeyName));
        var read = Checkpoint.ReadUnverified(note)!;
        Assert.Equal(("example.com/behind-the-sofa", 20852163), (read.Origin, read.Size));
        Assert.Equal("0ac5186a91863e8e1d90c80801...", read.Root.Hex[..26] + "...");
        Assert.Equal(Checkpoint.Verdict.NoTrustedSignature, Checkpoint.Open(Encoding.UTF8.GetBytes(example), "example.com/behind-the-sofa", [new NoteKey("example.com/behind-the-sofa", key.PublicKey)], out _));
    }

    [Fact]
    public void Published_entries_of_a_public_log_are_judged_as_labelled()
    {
        var vectors = MerkleVectors.Read("rekor.json");
        var text = vectors.GetProperty("vkey").GetString()!;
        var trusted = NoteKey.Parse(text);
        Assert.Equal(text, trusted.ToString());
        Assert.Equal((3, 4), (vectors.GetProperty("cases").EnumerateArray().Count(Verifies), vectors.GetProperty("cases").EnumerateArray().Count(vector => !Verifies(vector))));
        foreach (var vector in vectors.GetProperty("cases").EnumerateArray())
        {
            var size = vector.GetProperty("size").GetInt64();
            var path = vector.GetProperty("path").EnumerateArray().Select(hash => new Digest(hash.GetBytesFromBase64()));
            var proof = new TlogProof(vector.GetProperty("index").GetInt64(), [.. path], [.. Encoding.UTF8.GetBytes(vector.GetProperty("checkpoint").GetString()!)], null);
            var again = TlogProof.Read(proof.Write())!;
            var verdict = again.Verify(vector.GetProperty("record").GetBytesFromBase64(), vector.GetProperty("origin").GetString()!, [trusted], out var checkpoint);
            Assert.Equal((vector.GetProperty("name").GetString(), Verifies(vector)), (vector.GetProperty("name").GetString(), verdict == TlogProof.Verdict.Included && checkpoint!.Size == size));
        }

        static bool Verifies(JsonElement vector) => vector.GetProperty("verifies").GetBoolean();
    }

    [Fact]
    public void Our_own_checkpoint_opens_under_its_key_name_and_origin_alone()
    {
        using var other = SigningKey.Create();
        var checkpoint = new Checkpoint(Origin, 7, root);
        var note = checkpoint.Sign(key);
        Assert.Equal(Checkpoint.Verdict.Trusted, Checkpoint.Open(note, Origin, [new NoteKey(Origin, key.PublicKey), new NoteKey(Origin, other.PublicKey)], out var read));
        Assert.Equal(checkpoint, read);

        Assert.Equal(Checkpoint.Verdict.NoTrustedSignature, Checkpoint.Open(note, Origin, [new NoteKey(Origin, other.PublicKey)], out read));
        Assert.Null(read);
        Assert.Equal(Checkpoint.Verdict.NoTrustedSignature, Checkpoint.Open(note, Origin, [new NoteKey("slipway.example/ledger/2", key.PublicKey)], out _));
        Assert.Equal(Checkpoint.Verdict.NoTrustedSignature, Checkpoint.Open(note, Origin, [], out _));
        Assert.Equal(Checkpoint.Verdict.OtherLog, Checkpoint.Open(note, "slipway.example/ledger/2", [new NoteKey(Origin, key.PublicKey)], out _));
    }

    [Fact]
    public void A_checkpoint_with_any_byte_changed_is_not_trusted()
    {
        var note = new Checkpoint(Origin, 7, root).Sign(key);
        var trusted = new NoteKey(Origin, key.PublicKey);
        for (var at = 0; at < note.Length; at++)
        {
            var changed = note.ToArray();
            changed[at] ^= 1;
            Assert.NotEqual((at, Checkpoint.Verdict.Trusted), (at, Checkpoint.Open(changed, Origin, [trusted], out _)));
            Assert.NotEqual((at, Checkpoint.Verdict.Trusted), (at, Checkpoint.Open(note.AsSpan(0, at), Origin, [trusted], out _)));
        }
    }

    [Fact]
    public void Signatures_of_strangers_are_ignored_and_a_wrong_one_in_a_trusted_name_refuses_the_note()
    {
        using var other = SigningKey.Create();
        var trusted = new NoteKey(Origin, key.PublicKey);
        var note = Encoding.UTF8.GetString(new Checkpoint(Origin, 7, root).Sign(key));
        var stranger = Encoding.UTF8.GetString(new Checkpoint(Origin, 7, root).Sign(other)).Split('\n')[^2];
        var wrong = Encoding.UTF8.GetString(new Checkpoint(Origin, 8, root).Sign(key)).Split('\n')[^2];

        Assert.Equal(Checkpoint.Verdict.Trusted, Open(note + stranger + "\n"));
        Assert.Equal(Checkpoint.Verdict.WrongSignature, Open(note + wrong + "\n"));
        Assert.Equal(Checkpoint.Verdict.Malformed, Open(note + "— no base64\n"));
        Assert.Equal(Checkpoint.Verdict.Malformed, Open(note + stranger));
        Assert.Equal(Checkpoint.Verdict.Malformed, Open(note.Replace("\n7\n", "\n7\r\n", StringComparison.Ordinal)));

        Checkpoint.Verdict Open(string text) => Checkpoint.Open(Encoding.UTF8.GetBytes(text), Origin, [trusted, trusted], out _);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("slipway.example/ledger/1\n7\n")]
    [InlineData("slipway.example/ledger/1\n07\nAAAA\n")]
    [InlineData("slipway.example/ledger/1\n-7\nROOT\n")]
    [InlineData("slipway.example/ledger/1\n07\nROOT\n")]
    [InlineData("slipway.example/ledger/1\n9223372036854775808\nROOT\n")]
    [InlineData("slipway.example/ledger/1\n7\nROOT\n\nmore\n")]
    [InlineData("\n7\nROOT\n")]
    public void A_well_signed_text_that_is_no_checkpoint_is_refused(string text)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        root.CopyTo(bytes);
        var note = SignedNote.Sign(text.Replace("ROOT", Convert.ToBase64String(bytes), StringComparison.Ordinal), Origin, key);
        Assert.Equal(Checkpoint.Verdict.Malformed, Checkpoint.Open(note, Origin, [new NoteKey(Origin, key.PublicKey)], out var read));
        Assert.Null(read);
    }

    [Fact]
    public void Verifier_keys_go_there_and_back_and_a_changed_one_is_refused()
    {
        var text = new NoteKey(Origin, key.PublicKey).ToString();
        Assert.Equal(new NoteKey(Origin, key.PublicKey), NoteKey.Parse(text));
        Assert.StartsWith($"{Origin}+{key.PublicKey.KeyId[..8]}+AjBZMBMGByqGSM49", text);
        foreach (var changed in (string[])["", Origin, text[Origin.Length..], text[..^4], text + "AAAA", text.Replace("+AjBZ", "+AzBZ", StringComparison.Ordinal), text.Replace($"+{key.PublicKey.KeyId[..8]}+", "+00000000+", StringComparison.Ordinal), "a b" + text])
            Assert.Throws<FormatException>(() => NoteKey.Parse(changed));
        Assert.Throws<FormatException>(() => new NoteKey("a+b", key.PublicKey));
    }

    private static IEnumerable<string> Names(JsonElement vector, string property) =>
        vector.TryGetProperty(property, out var names) ? names.EnumerateArray().Select(name => name.GetString()!) : [];
}
