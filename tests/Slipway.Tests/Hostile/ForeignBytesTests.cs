using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Bom;
using Slipway.Documents.Bundles;
using Slipway.Documents.Policies;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;
using Slipway.Store.Content;
using Slipway.Store.Oci;
using Slipway.Store.Registries;
using Slipway.Tests.Trust.Timestamps;
using Slipway.Tests.Trust.Verification;
using Slipway.Trust.Attestations;
using Slipway.Trust.Certificates;
using Slipway.Trust.Signing;
using Slipway.Trust.Timestamps;
using Slipway.Trust.TransparencyLog;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Hostile;

/// <summary>Every parser of bytes that others wrote, under changed and hostile input: it reads them, or refuses them as it says, in bounded memory.</summary>
/// <remarks>
/// Some thousand inputs each by default. A search of a minute each: <c>SLIPWAY_FUZZ_SECONDS=60 SLIPWAY_FUZZ_SEED=$RANDOM</c> and this class.
/// </remarks>
public sealed class ForeignBytesTests
{
    private const int Inputs = 2_000;

    /// <summary>Bytes that are allocated at most over a parser's whole way for one input of up to 64 KiB.</summary>
    private const long MostAllocated = 64L << 20;

    private static readonly int? seconds = Number("SLIPWAY_FUZZ_SECONDS");

    public static TheoryData<string> Parsers => [.. All().Select(parser => parser.Name)];

    [Theory]
    [MemberData(nameof(Parsers))]
    public void Hostile_bytes_are_read_or_refused(string name)
    {
        var (_, seeds, parse) = All().Single(parser => parser.Name == name);
        parse(seeds[0]);        // what is not hostile is read
        var mutator = new Mutator(Number("SLIPWAY_FUZZ_SEED") ?? 20_261_122, seeds);
        var clock = Stopwatch.StartNew();
        for (var input = 0; seconds is { } budget ? clock.Elapsed.TotalSeconds < budget : input < Inputs; input++)
        {
            var bytes = mutator.Next();
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                parse(bytes);
            }
            catch (Exception e) when (e is JsonException or FormatException or SlipwayException { Exit: ExitCode.UnusableInput })
            {
                // Refused, as every one of these parsers says.
            }
            catch (Exception e)
            {
                Assert.Fail($"{name}, input {input}: {e}\n{Convert.ToBase64String(bytes)}");
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < MostAllocated, $"{name}, input {input}: {allocated} bytes for {bytes.Length}\n{Convert.ToBase64String(bytes)}");
        }
    }

    private static IEnumerable<(string Name, byte[][] Seeds, Action<byte[]> Parse)> All()
    {
        using var bundle = new Sealed().Signed();
        var attestation = bundle.Layout.Referrers(bundle.Digest)[0];
        var signed = bundle.Layout.ReadBlob(attestation.Manifest!.Layers[0].Digest, SigstoreBundle.MaxBytes).Bytes;
        var manifest = bundle.Manifest.ToBytes();
        var index = File.ReadAllBytes(bundle.Scratch("layout/index.json"));
        var tree = FileTree.Of([new FileTreeEntry("a/b", true, 3, Digest.Of("abc"u8)), new FileTreeEntry("c", false, 0, Digest.Of(""u8))]).ToJson();
        using var tar = new MemoryStream();
        DeterministicTar.Write(tar, [ArchiveEntry.OfBytes("code/serve.py", "print()"u8.ToArray()), ArchiveEntry.OfBytes($"code/{new string('n', 200)}/x", "y"u8.ToArray())], 0);

        yield return ("tar, listed", [tar.ToArray()], bytes => DeterministicTar.List(new MemoryStream(bytes), ArchiveLimits.Default));
        yield return ("tar, read", [tar.ToArray()], bytes => DeterministicTar.ReadAll(new MemoryStream(bytes), 1 << 20));
        yield return ("OCI manifest", [manifest, .. Vectors("Store/Oci/vectors/manifest")], bytes => OciManifest.Parse(bytes).ToBytes());
        yield return ("OCI index", [index, .. Vectors("Store/Oci/vectors/index")], bytes => OciIndex.Parse(bytes).ToBytes());
        yield return ("strict manifest", [manifest], bytes => StrictManifest.Read(bytes, Digest.Of(bytes), []));
        yield return ("sigstore bundle", [signed], bytes => Verify(SigstoreBundle.Parse(bytes)));
        yield return ("statement", [Sealed.About(bundle.Digest).ToBytes()], bytes => Statement.Parse(bytes).ToBytes());
        yield return ("CycloneDX", [.. Vectors("Documents/Bom/vectors/1.6").Take(20)], bytes => BomReader.Read(bytes));
        yield return ("ModelPack config", [.. Vectors("Documents/vectors/modelpack/config")], bytes => ModelPackConfig.Parse(bytes).ToBytes());
        yield return ("file tree", [tree], bytes => FileTree.Parse(bytes));
        yield return ("canonical JSON", [manifest, index], bytes => CanonicalJson.IsCanonical(bytes));
        yield return ("bundle reference", [.. Texts("oci:dir/x:tag", "localhost:5000/team/model:v1", $"r.example.org/a/b@{Digest.Of("x"u8)}", "tag#cuda")], bytes => BundleReference.Parse(Encoding.UTF8.GetString(bytes)));
        yield return ("public key", [Encoding.ASCII.GetBytes(bundle.Key.PublicKey.ToPem())], bytes => VerificationKey.Parse(Encoding.Latin1.GetString(bytes), "key"));
        yield return ("signed note", [.. Texts("origin\n1\nAAAA\n\n\u2014 name AAAAAAAA\n")], bytes => SignedNote.Read(bytes));
        using var authority = new TestAuthority();
        var roots = authority.Roots;
        yield return ("timestamp", [authority.Stamp("x"u8, TestAuthority.Noon)], bytes => TimestampToken.Parse(bytes).Judge("x"u8, roots, out _));
        yield return ("signing certificate", [authority.StampCertificate.RawData], bytes => SigningCertificate.Parse(bytes));
        yield return ("bearer challenge", [.. Texts("Bearer realm=\"https://auth.example.org/token\",service=\"registry\",scope=\"repository:a/b:pull,push\"", "Basic realm=\"x\"")], ReadChallenge);
        yield return ("trust policy", [.. Texts(TrustPolicyOf(bundle.Key.PublicKey))], bytes => TrustPolicyParser.Parse("trust.yaml", bytes, "/nowhere", TestAuthority.Noon));
        yield return ("log proof", [.. Texts("c2sp.org/tlog-proof@v1\nindex 0\n\norigin\n1\nAAAA\n\n\u2014 name AAAAAAAA\n")], bytes => TlogProof.Read(bytes));
    }

    private static string TrustPolicyOf(VerificationKey key) =>
        $"""
        slipway-trust: 1
        signers:
          ci:
            keys:
              - "{key.ToPem().ReplaceLineEndings("\\n")}"
        require:
          - predicate: https://slsa.dev/provenance/v1
            by: [ci]
        revoked:
          - key: {new string('a', 64)}
            since: 2026-05-01T00:00:00Z
        """;

    private static void ReadChallenge(byte[] bytes)
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", Encoding.Latin1.GetString(bytes));
        RegistryChallenge.Of(response.Headers);
    }

    private static void Verify(SigstoreBundle bundle)
    {
        using var key = SigningKey.Create();
        Dsse.Verify(bundle.DsseEnvelope!, key.PublicKey);
    }

    private static byte[][] Texts(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    /// <summary>Those that are valid by their name.</summary>
    private static IEnumerable<byte[]> Vectors(string folder) =>
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, folder)).Where(path => !Path.GetFileName(path).Contains("invalid") && Path.GetFileName(path).Contains("valid")).Order(StringComparer.Ordinal).Select(File.ReadAllBytes);

    private static int? Number(string variable) => Environment.GetEnvironmentVariable(variable) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
