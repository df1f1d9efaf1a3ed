using System.Text.Json;
using Slipway.Tests.Store.Archives;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Trust.Signing;

public sealed class SignatureTests : IDisposable
{
    private readonly ScratchFolder scratch = new();

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void Every_published_signature_is_judged_as_labelled()
    {
        using var vectors = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Trust/Signing/vectors/ecdsa_secp256r1_sha256_test.json")));
        var (wrong, valid, invalid) = (new List<int>(), 0, 0);
        foreach (var group in vectors.RootElement.GetProperty("testGroups").EnumerateArray())
        {
            var key = VerificationKey.FromSpki(Convert.FromHexString(group.GetProperty("publicKeyDer").GetString()!));
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                var expected = test.GetProperty("result").GetString() == "valid";
                _ = expected ? valid++ : invalid++;
                var data = Convert.FromHexString(test.GetProperty("msg").GetString()!);
                if (key.Verify(data, Convert.FromHexString(test.GetProperty("sig").GetString()!)) != expected)
                    wrong.Add(test.GetProperty("tcId").GetInt32());
            }
        }

        Assert.Empty(wrong);
        Assert.Equal((174, 310), (valid, invalid));
    }

    [Fact]
    public void Openssl_accepts_our_signature_and_refuses_it_over_other_data()
    {
        Assert.SkipUnless(Tool.IsThere("openssl"), "openssl is not installed");
        using var key = SigningKey.Create();
        key.Save(scratch["key"]);
        scratch.Write("data", "to be signed"u8);
        scratch.Write("other", "to be signeD"u8);
        scratch.Write("sig", key.Sign("to be signed"u8));

        Assert.Equal(0, Tool.Run("openssl", "dgst", "-sha256", "-verify", scratch["key.pub"], "-signature", scratch["sig"], scratch["data"]).Code);
        Assert.NotEqual(0, Tool.Run("openssl", "dgst", "-sha256", "-verify", scratch["key.pub"], "-signature", scratch["sig"], scratch["other"]).Code);
    }

    [Fact]
    public void A_key_of_openssl_is_read_and_its_signature_accepted()
    {
        Assert.SkipUnless(Tool.IsThere("openssl"), "openssl is not installed");
        Tool.Run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes-256-cbc", "-pass", "pass:open sesame", "-out", scratch["key"]);
        Tool.Run("openssl", "pkey", "-in", scratch["key"], "-passin", "pass:open sesame", "-pubout", "-out", scratch["key.pub"]);
        scratch.Write("data", "data"u8);
        Tool.Run("openssl", "dgst", "-sha256", "-sign", scratch["key"], "-passin", "pass:open sesame", "-out", scratch["sig"], scratch["data"]);

        using var signing = SigningKey.Load(scratch["key"], "open sesame");
        var verification = VerificationKey.Load(scratch["key.pub"]);

        Assert.Equal(verification.KeyId, signing.PublicKey.KeyId);
        Assert.True(verification.Verify("data"u8, File.ReadAllBytes(scratch["sig"])));
        Assert.False(verification.Verify("date"u8, File.ReadAllBytes(scratch["sig"])));
    }

    [Fact]
    public void Another_key_accepts_nothing_of_ours()
    {
        using var key = SigningKey.Create();
        using var other = SigningKey.Create();
        var signature = key.Sign("data"u8);

        Assert.True(key.PublicKey.Verify("data"u8, signature));
        Assert.False(other.PublicKey.Verify("data"u8, signature));
        Assert.False(key.PublicKey.Verify("data"u8, []));
        Assert.False(key.PublicKey.Verify("data"u8, [.. signature, 0]));
    }
}
