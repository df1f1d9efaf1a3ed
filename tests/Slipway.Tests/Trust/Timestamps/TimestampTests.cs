using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Slipway.Tests.Store.Archives;
using Slipway.Trust.Certificates;
using Slipway.Trust.Timestamps;
using static Slipway.Trust.Timestamps.TimestampToken;

namespace Slipway.Tests.Trust.Timestamps;

public sealed class TimestampTests : IDisposable
{
    private readonly TestAuthority authority = new();

    public void Dispose() => authority.Dispose();

    [Fact]
    public void A_timestamp_of_a_trusted_authority_counts_and_every_other_says_why_not()
    {
        var good = authority.Stamp("signature"u8, TestAuthority.Noon);
        Assert.Equal(TestAuthority.Noon, Parse(good).Time);
        Assert.Equal(Verdict.Trusted, Parse(good).Judge("signature"u8, authority.Roots, out _));
        Assert.Equal(Verdict.OtherBytes, Parse(good).Judge("signaturf"u8, authority.Roots, out _));
        using var foreign = new TestAuthority("Somebody");
        Assert.Equal(Verdict.Untrusted, Parse(good).Judge("signature"u8, foreign.Roots, out _));

        // An authority of the same name is another authority.
        using var namesake = new TestAuthority();
        Assert.Equal(Verdict.Untrusted, Parse(good).Judge("signature"u8, namesake.Roots, out _));

        var (key, expired) = authority.Issue("old", CertificateRoots.TimeStamping, TestAuthority.Noon.AddYears(-3), TestAuthority.Noon.AddYears(-2));
        Assert.Equal(Verdict.Expired, Parse(authority.Stamp("signature"u8, TestAuthority.Noon, key, expired)).Judge("signature"u8, authority.Roots, out _));
        Assert.Equal(Verdict.Trusted, Parse(authority.Stamp("signature"u8, TestAuthority.Noon.AddMonths(-30), key, expired)).Judge("signature"u8, authority.Roots, out _));

        var (other, code) = authority.Issue("code", CertificateRoots.CodeSigning, TestAuthority.Noon.AddYears(-1), TestAuthority.Noon.AddYears(1));
        Assert.Equal(Verdict.WrongUsage, Parse(authority.Stamp("signature"u8, TestAuthority.Noon, other, code)).Judge("signature"u8, authority.Roots, out _));
    }

    [Fact]
    public void An_inaccurate_authority_is_taken_at_its_latest()
    {
        var stamp = Parse(authority.Stamp("s"u8, TestAuthority.Noon, authority.StampKey, authority.StampCertificate, accuracyMicroseconds: 2_000_000));
        Assert.Equal(TestAuthority.Noon.AddSeconds(2), stamp.Time);
    }

    [Fact]
    public void What_is_no_granted_response_is_refused()
    {
        var good = authority.Stamp("s"u8, TestAuthority.Noon);
        foreach (var bad in new[] { [], "no response"u8.ToArray(), TestAuthority.Response(2, null), TestAuthority.Response(0, null), TestAuthority.Response(2, good), [.. good, 0], good[..^1], new byte[MaxBytes + 1] })
            Assert.Throws<FormatException>(() => Parse(bad));
    }

    [Fact]
    public void No_changed_byte_of_a_response_is_trusted_or_anything_but_refused()
    {
        var good = authority.Stamp("signature"u8, TestAuthority.Noon);
        var roots = authority.Roots;
        var trusted = 0;
        for (var at = 0; at < good.Length; at++)
        {
            var changed = good.ToArray();
            changed[at] ^= (byte)(1 << (at % 8));
            try
            {
                var token = Parse(changed);
                if (token.Judge("signature"u8, roots, out _) != Verdict.Trusted)
                    continue;
                // The status word, and parts of the certificate list that nothing signs, may differ; the time may not.
                trusted++;
                Assert.Equal(TestAuthority.Noon, token.Time);
            }
            catch (FormatException)
            {
                // refused
            }
        }

        Assert.True(trusted < 20, $"{trusted} changed responses were trusted");
    }

    [Fact]
    public void A_response_of_openssl_counts()
    {
        using var scratch = new ScratchFolder();
        File.WriteAllText(scratch["tsa.pem"], authority.StampCertificate.ExportCertificatePem());
        File.WriteAllText(scratch["tsa.key"], authority.StampKey.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(scratch["serial"], "01");
        File.WriteAllText(scratch["tsa.conf"], $"[tsa]\nserial = {scratch["serial"]}\ndefault_policy = 1.2.3.4\ndigests = sha256\nsigner_digest = sha256\ness_cert_id_alg = sha256\n");
        var query = TimestampQuery.For("signature"u8, RandomNumberGenerator.GetBytes(8));
        File.WriteAllBytes(scratch["query"], query.Request);
        OpenSsl($"ts -reply -config {scratch["tsa.conf"]} -section tsa -queryfile {scratch["query"]} -signer {scratch["tsa.pem"]} -inkey {scratch["tsa.key"]} -out {scratch["reply"]}");
        var reply = File.ReadAllBytes(scratch["reply"]);

        Assert.True(query.IsAnsweredBy(reply));
        Assert.False(TimestampQuery.For("signature"u8, RandomNumberGenerator.GetBytes(8)).IsAnsweredBy(reply));
        Assert.False(query.IsAnsweredBy("no reply"u8));
        Assert.Equal(Verdict.Trusted, Parse(reply).Judge("signature"u8, authority.Roots, out _));

        // And the other way round: openssl takes ours.
        File.WriteAllBytes(scratch["ours"], authority.Stamp("signature"u8, TestAuthority.Noon));
        File.WriteAllText(scratch["root.pem"], authority.Root.ExportCertificatePem());
        File.WriteAllText(scratch["data"], "signature");
        OpenSsl($"ts -verify -in {scratch["ours"]} -data {scratch["data"]} -CAfile {scratch["root.pem"]} -attime {TestAuthority.Noon.ToUnixTimeSeconds()}");
    }

    /// <summary>Published: what sigstore's clients must say to timestamps of their second log.</summary>
    [Theory]
    [InlineData("rekor2-timestamp-with-embedded-cert", Verdict.Trusted)]
    [InlineData("rekor2-timestamp-without-embedded-cert", Verdict.Trusted)]
    [InlineData("rekor2-timestamp-with-expired-cert-chain", Verdict.Trusted)]
    [InlineData("rekor2-timestamp-payload-mismatch_fail", Verdict.OtherBytes)]
    [InlineData("rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail", Verdict.Untrusted)]
    [InlineData("rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail", Verdict.Untrusted)]
    [InlineData("rekor2-timestamp-outside-tsa-cert-validity_fail", Verdict.Expired)]
    public void Published_timestamps_are_judged(string name, Verdict expected)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Trust/Attestations/vectors/sigstore-conformance");
        using var bundle = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, name + ".json")));
        using var root = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, name + ".root.json")));
        var stamp = bundle.RootElement.GetProperty("verificationMaterial").GetProperty("timestampVerificationData").GetProperty("rfc3161Timestamps")[0].GetProperty("signedTimestamp").GetBytesFromBase64();
        var signature = bundle.RootElement.GetProperty("messageSignature").GetProperty("signature").GetBytesFromBase64();
        var verdicts = root.RootElement.GetProperty("timestampAuthorities").EnumerateArray()
            .Select(authority => CertificateRoots.Parse(Pem(authority.GetProperty("certChain").GetProperty("certificates")), name))
            .Select(roots => Parse(stamp).Judge(signature, roots, out _)).ToList();

        Assert.Contains(expected, verdicts);
        Assert.Equal(expected == Verdict.Trusted, verdicts.Contains(Verdict.Trusted));
    }

    private static string Pem(JsonElement certificates) =>
        string.Concat(certificates.EnumerateArray().Select(each => PemEncoding.WriteString("CERTIFICATE", each.GetProperty("rawBytes").GetBytesFromBase64()) + "\n"));

    private static void OpenSsl(string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var told = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, told);
    }
}
