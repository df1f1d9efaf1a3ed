using System.Text;
using Slipway.Documents.Policies;
using Slipway.Primitives.Faults;
using Slipway.Tests.Store.Archives;
using Slipway.Tests.Trust.Timestamps;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Documents.Policies;

public sealed class TrustPolicyParserTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ScratchFolder scratch = new();
    private readonly SigningKey build = SigningKey.Create(), risk = SigningKey.Create();
    private readonly TestAuthority authority = new();

    public TrustPolicyParserTests()
    {
        build.Save(scratch["keys/build"]);
        File.WriteAllText(scratch["keys/tsa.pem"], authority.Root.ExportCertificatePem());
    }

    public void Dispose()
    {
        build.Dispose();
        risk.Dispose();
        authority.Dispose();
        scratch.Dispose();
    }

    private string Full => $"""
        slipway-trust: 1
        x-own: a note
        signers:
          build:
            keys: [keys/build.pub]
          risk:
            keys:
              - |
        {Indent(risk.PublicKey.ToPem())}
          ci:
            certificates:
              - roots: keys/tsa.pem
                identity: https://git.example/acme/.ci/build.yml@refs/heads/main
                issuer: https://token.git.example
        require:
          - predicate: https://slsa.dev/provenance/v1
            by: [build, ci]
          - predicate: https://in-toto.io/attestation/test-result/v0.1
        revoked:
          - key: {risk.PublicKey.KeyId}
            since: 2026-11-01T00:00:00Z
            reason: laptop stolen
        timestamp-authorities: [keys/tsa.pem]
        ledgers:
          - {new NoteKey("slipway/ledger/1", build.PublicKey)}
        """;

    [Fact]
    public void A_policy_file_names_signers_requirements_revocations_and_sources_of_time()
    {
        var policy = Parse(Full);
        Assert.Equal(["build", "risk", "ci"], policy.Signers.Select(signer => signer.Name));
        Assert.Equal(build.PublicKey.KeyId, Assert.Single(policy.Signers[0].Keys.Keys).KeyId);
        Assert.Equal(risk.PublicKey.KeyId, Assert.Single(policy.Signers[1].Keys.Keys).KeyId);
        Assert.Equal("https://token.git.example", Assert.Single(policy.Signers[2].Identities).Issuer);
        Assert.Equal([(TrustPolicy.Provenance, 2), ("https://in-toto.io/attestation/test-result/v0.1", 0)], policy.Required.Select(required => (required.PredicateType, required.By.Length)));
        Assert.Equal((new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero), "laptop stolen"), (policy.Revoked[0].Since, policy.Revoked[0].Reason));
        Assert.Equal("Test authority", Assert.Single(policy.TimestampAuthorities).Name);
        Assert.Equal("slipway/ledger/1", Assert.Single(policy.Ledgers).Name);
        Assert.Equal(policy.Digest, Parse(Full + "\nx-more: 1\n").Digest);
    }

    [Fact]
    public void What_is_left_out_is_provenance_by_any_signer_and_an_empty_list_is_nothing_more()
    {
        const string signers = "slipway-trust: 1\nsigners:\n  me: { keys: [keys/build.pub] }\n";
        Assert.Empty(Assert.Single(Parse(signers).Required, required => required.PredicateType == TrustPolicy.Provenance).By);
        Assert.Empty(Parse(signers + "require: []\n").Required);
    }

    [Theory]
    [InlineData("slipway-trust: 1", "slipway-trust: 2", "bad-value")]
    [InlineData("by: [build, ci]", "by: [biuld]", "unknown-name")]
    [InlineData("    keys: [keys/build.pub]", "    keys: []", "missing-key")]
    [InlineData("keys: [keys/build.pub]", "keys: [keys/none.pub]", "trusted-missing")]
    [InlineData("keys: [keys/build.pub]", "keys: [keys/build]", "key-is-private")]
    [InlineData("keys: [keys/build.pub]", "keys: [keys/tsa.pem]", "not-a-key")]
    [InlineData("- roots: keys/tsa.pem", "- roots: keys/build.pub", "not-certificates")]
    [InlineData("since: 2026-11-01T00:00:00Z", "since: yesterday", "bad-value")]
    [InlineData("since: 2026-11-01T00:00:00Z", "since: 2026-11-01T00:00:00+02:00", "bad-value")]
    [InlineData("since: 2026-11-01T00:00:00Z", "since: 2026-12-01T00:00:01Z", "bad-value")]
    [InlineData("identity: https", "identty: https", "unknown-key")]
    [InlineData("timestamp-authorities: [keys/tsa.pem]", "timestamp-authorities: [keys]", "trusted-missing")]
    [InlineData("predicate: https://slsa.dev/provenance/v1", "predicate: provenance", "bad-value")]
    [InlineData("reason: laptop stolen", "certificate: sha256:0000000000000000000000000000000000000000000000000000000000000000", "bad-value")]
    [InlineData("slipway/ledger/1+", "slipway/ledger/1+0", "bad-value")]
    public void A_faulty_policy_is_refused_with_the_line(string find, string replace, string code)
    {
        Assert.Contains(find, Full);
        var refused = Assert.Throws<SlipwayException>(() => Parse(Full.Replace(find, replace, StringComparison.Ordinal)));
        Assert.Equal(ExitCode.UnusableInput, refused.Exit);
        var found = Assert.Single(refused.Faults, fault => fault.Code == code);
        Assert.Equal("trust.yaml", found.File);
        Assert.InRange(found.Line!.Value, 1, Full.Split('\n').Length);
    }

    [Fact]
    public void A_key_of_two_signers_is_refused()
    {
        var refused = Assert.Throws<SlipwayException>(() => Parse("slipway-trust: 1\nsigners:\n  a: { keys: [keys/build.pub] }\n  b: { keys: [keys/build.pub] }\n"));
        Assert.Contains("with a and with b", Assert.Single(refused.Faults).Message);
    }

    [Fact]
    public void A_certificate_identity_of_two_signers_is_refused_where_one_certificate_could_be_both()
    {
        var refused = Assert.Throws<SlipwayException>(() => Two("issuer: https://token.example", ""));
        Assert.Contains("with a and with b", Assert.Single(refused.Faults, fault => fault.Code == "duplicate-value").Message);
        Assert.Equal(5, refused.Faults[0].Line);
        Assert.Throws<SlipwayException>(() => Two("", ""));
        Assert.Equal(2, Two("issuer: https://one.example", "issuer: https://two.example").Signers.Length);

        TrustPolicy Two(string one, string two) => Parse(
            $"slipway-trust: 1\nsigners:\n  a:\n    certificates: [{{ roots: keys/tsa.pem, identity: ci@example.org, {one} }}]\n  b:\n    certificates: [{{ roots: keys/tsa.pem, identity: ci@example.org, {two} }}]\n".Replace(", }", " }", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("0b", '1')]
    [InlineData("0b", '0')]
    [InlineData("0", '7')]
    [InlineData("1", '2')]
    [InlineData("12345e67", '8')]
    [InlineData("0e", '1')]
    [InlineData("a", 'b')]
    public void A_key_id_is_taken_as_it_is_written_whatever_number_it_looks_like(string begin, char rest)
    {
        var id = begin.PadRight(64, rest);
        Assert.Equal(id, Assert.Single(Parse(Full.Replace(risk.PublicKey.KeyId, id, StringComparison.Ordinal)).Revoked).Subject.Hex);
    }

    [Fact]
    public void A_key_that_is_revoked_twice_is_refused()
    {
        var twice = Full.Replace("timestamp-authorities:", $"  - {{ key: {risk.PublicKey.KeyId}, since: 2026-10-01T00:00:00Z }}\ntimestamp-authorities:", StringComparison.Ordinal);
        var fault = Assert.Single(Assert.Throws<SlipwayException>(() => Parse(twice)).Faults);
        Assert.Equal(("duplicate-value", twice.Split('\n').ToList().FindIndex(line => line.Contains("2026-10-01", StringComparison.Ordinal)) + 1), (fault.Code, fault.Line));
    }

    [Fact]
    public void What_is_no_regular_file_is_refused_and_not_waited_for()
    {
        using (var made = System.Diagnostics.Process.Start("mkfifo", [scratch["pipe.yaml"]]))
            made.WaitForExit();
        var refused = Assert.Throws<SlipwayException>(() => TrustPolicyParser.Load(scratch.Root, "pipe.yaml", Now));
        Assert.Equal((ExitCode.UnusableInput, "trust-policy-missing"), (refused.Exit, refused.Faults[0].Code));
    }

    [Fact]
    public void Whatever_bytes_a_policy_has_it_is_read_or_refused()
    {
        var good = Encoding.UTF8.GetBytes(Full);
        var random = new Random(1);
        for (var i = 0; i < 1500; i++)
        {
            var bytes = good.ToArray();
            for (var edits = random.Next(1, 6); edits > 0; edits--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            try
            {
                _ = TrustPolicyParser.Parse("trust.yaml", bytes, scratch.Root, Now).Digest;
            }
            catch (SlipwayException refused)
            {
                Assert.Equal(ExitCode.UnusableInput, refused.Exit);
            }
        }
    }

    private static string Indent(string pem) => string.Join('\n', pem.TrimEnd().Split('\n').Select(line => "          " + line));

    private TrustPolicy Parse(string text) => TrustPolicyParser.Parse("trust.yaml", Encoding.UTF8.GetBytes(text), scratch.Root, Now);
}
