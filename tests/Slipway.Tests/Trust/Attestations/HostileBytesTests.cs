using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Tests.Trust.Timestamps;
using Slipway.Trust.Attestations;
using Slipway.Trust.Certificates;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;
using Slipway.Trust.Timestamps;
using Slipway.Trust.TransparencyLog;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Trust.Attestations;

/// <summary>Bytes of strangers: each parser reads them or refuses them, and throws nothing but what it says.</summary>
public sealed class HostileBytesTests : IDisposable
{
    private const int Rounds = 2000;

    private readonly SigningKey key = SigningKey.Create();
    private readonly TestAuthority authority = new();

    public void Dispose()
    {
        key.Dispose();
        authority.Dispose();
    }

    [Fact]
    public void Sigstore_bundles_and_statements()
    {
        var statement = Statement.About(Digest.Of("b"u8), "name", TrustPolicy.Provenance, JsonDocument.Parse("""{"a":[1,{"b":null}]}""").RootElement);
        var signed = SignedStatement.Sign(statement, key).WithTimestamp(authority.Stamp("s"u8, TestAuthority.Noon));
        var judge = new SignatureJudge(TrustPolicy.Of(KeyRing.Of(key.PublicKey)), []);
        Mutate(signed.ToBytes(), bytes => judge.Judge(SigstoreBundle.Parse(bytes), []), typeof(JsonException));
        Mutate(statement.ToBytes(), bytes => Statement.Parse(bytes).ToBytes(), typeof(JsonException));
    }

    [Fact]
    public void Certificates_and_timestamps()
    {
        Mutate(authority.StampCertificate.RawData, bytes => SigningCertificate.Parse(bytes).Subjects.ToString(), typeof(FormatException));
        Mutate(authority.Stamp("s"u8, TestAuthority.Noon), bytes => TimestampToken.Parse(bytes).Judge("s"u8, authority.Roots, out _), typeof(FormatException));
        Mutate(System.Text.Encoding.ASCII.GetBytes(authority.Root.ExportCertificatePem()), bytes => CertificateRoots.Parse(System.Text.Encoding.Latin1.GetString(bytes), "roots").Name, typeof(SlipwayException));
    }

    [Fact]
    public void Proofs_and_keys()
    {
        var entry = """{"subjects":[{"digest":"sha256:00"}],"time":1}"""u8.ToArray();
        var proof = new TlogProof(0, [], [.. new Checkpoint("log", 1, MerkleHash.OfLeaf(entry)).Sign(key)], [.. "{\"entry\":"u8, .. entry, .. "}"u8]).Write();
        Assert.Equal(1, LedgerEvidence.Open(proof, [new NoteKey("log", key.PublicKey)], "proof").Time.ToUnixTimeMilliseconds());
        Mutate(proof, bytes => LedgerEvidence.Open(bytes, [new NoteKey("log", key.PublicKey)], "proof"), typeof(SlipwayException));
        Mutate(System.Text.Encoding.ASCII.GetBytes(key.PublicKey.ToPem()), bytes => VerificationKey.Parse(System.Text.Encoding.Latin1.GetString(bytes), "key"), typeof(SlipwayException));
    }

    private static void Mutate(byte[] good, Func<byte[], object?> read, Type refusal)
    {
        read(good);
        var random = new Random(7);
        for (var i = 0; i < Rounds; i++)
        {
            var bytes = good.ToArray();
            for (var edits = random.Next(1, 5); edits > 0; edits--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            bytes = random.Next(6) switch
            {
                0 => bytes[..random.Next(bytes.Length)],
                1 => [.. bytes[..random.Next(bytes.Length)], .. bytes[random.Next(bytes.Length)..]],
                _ => bytes,
            };
            try
            {
                read(bytes);
            }
            catch (Exception e) when (e.GetType() == refusal || (refusal == typeof(JsonException) && e is JsonException))
            {
                // as it says
            }
        }
    }
}
