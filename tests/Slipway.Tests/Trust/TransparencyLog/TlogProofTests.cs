using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Signing;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Trust.TransparencyLog;

public sealed class TlogProofTests : IDisposable
{
    private const string Origin = "slipway.example/ledger/1";

    private const int Size = 70;

    private readonly SigningKey key = SigningKey.Create();

    private readonly Dictionary<TreeNode, Digest> stored = MerkleVectors.Stored(Size);

    public void Dispose() => key.Dispose();

    [Fact]
    public void A_proof_has_the_published_form()
    {
        var hash = MerkleVectors.Leaf(0);
        var proof = new TlogProof(73894, [hash, hash], [.. "example.com/fancylog\n"u8], [.. "age-v1"u8]);
        var base64 = Convert.ToBase64String(Convert.FromHexString(hash.Hex));
        Assert.Equal($"c2sp.org/tlog-proof@v1\nextra YWdlLXYx\nindex 73894\n{base64}\n{base64}\n\nexample.com/fancylog\n", Encoding.ASCII.GetString(proof.Write()));
        Assert.Equal("c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n", Encoding.ASCII.GetString(new TlogProof(0, [], [.. "checkpoint\n"u8], null).Write()));
    }

    [Fact]
    public void A_proof_goes_there_and_back_and_proves_its_record_alone()
    {
        for (var index = 0; index < Size; index++)
        {
            var proof = Read(Proof(index).Write());
            Assert.Equal(TlogProof.Verdict.Included, proof.Verify(BitConverter.GetBytes(index), Origin, [new NoteKey(Origin, key.PublicKey)], out var checkpoint));
            Assert.Equal(Size, checkpoint!.Size);
            Assert.Equal(TlogProof.Verdict.NotIncluded, proof.Verify(BitConverter.GetBytes(index + 1), Origin, [new NoteKey(Origin, key.PublicKey)], out checkpoint));
            Assert.Null(checkpoint);
        }

        using var other = SigningKey.Create();
        Assert.Equal(TlogProof.Verdict.CheckpointNotTrusted, Proof(3).Verify(BitConverter.GetBytes(3), Origin, [new NoteKey(Origin, other.PublicKey)], out _));
    }

    [Fact]
    public void A_proof_file_with_any_byte_changed_or_cut_proves_nothing()
    {
        var file = Proof(11).Write();
        var trusted = new NoteKey(Origin, key.PublicKey);
        for (var at = 0; at < file.Length; at++)
        {
            var changed = file.ToArray();
            changed[at] ^= 1;
            Assert.False(Proves(changed), $"byte {at} changed");
            Assert.False(Proves(file[..at]), $"cut at {at}");
        }

        bool Proves(byte[] bytes) => TlogProof.Read(bytes)?.Verify(BitConverter.GetBytes(11), Origin, [trusted], out _) == TlogProof.Verdict.Included;
    }

    [Theory]
    [InlineData("c2sp.org/tlog-proof@v2\nindex 0\n\ncheckpoint\n")]
    [InlineData("c2sp.org/tlog-proof@v1\n\ncheckpoint\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 0\ncheckpoint\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 00\n\ncheckpoint\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex -1\n\ncheckpoint\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\ncheckpoint\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 0\nextra YWdl\n\ncheckpoint\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nextra YWdlL\nindex 0\n\ncheckpoint\n")]
    [InlineData("c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\ncheckpoint\n")]
    [InlineData("")]
    public void Anything_else_is_no_proof(string text) => Assert.Null(TlogProof.Read(Encoding.UTF8.GetBytes(text)));

    private TlogProof Proof(int index) =>
        new(index, InclusionProof.Make(index, Size, stored).Path, [.. new Checkpoint(Origin, Size, MerkleVectors.DefinedRoot(0, Size)).Sign(key)], null);

    private static TlogProof Read(byte[] bytes) => TlogProof.Read(bytes) ?? throw new InvalidDataException("is no proof");
}
