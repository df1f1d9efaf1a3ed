using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Slipway.Primitives.Faults;
using Slipway.Trust.Encryption;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Trust.Encryption;

public sealed class SealedMessageTests : IDisposable
{
    private readonly SigningKey key = SigningKey.Create();

    public void Dispose() => key.Dispose();

    /// <summary>RFC 7518, appendix C: Alice and Bob agree upon a key for A128GCM.</summary>
    [Fact]
    public void The_published_agreement_gives_the_published_key()
    {
        using var alice = Key("gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps", "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
        using var bob = Key("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ", "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck", "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
        var secret = alice.DeriveRawSecretAgreement(bob.PublicKey);
        Assert.Equal("VqqN6vgjbSBcIijNcacQGg", Base64Url.EncodeToString(SealedMessage.Derive(secret, "A128GCM", "Alice"u8, "Bob"u8, 128)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    public void What_was_sealed_opens_with_its_key_alone(int size)
    {
        var content = RandomNumberGenerator.GetBytes(size);
        var message = SealedMessage.Seal(content, key.PublicKey);
        Assert.Equal(key.PublicKey.KeyId, SealedMessage.RecipientOf(message));
        Assert.Equal(content, SealedMessage.Open(message, key));
        using var other = SigningKey.Create();
        Assert.Equal("sealed-for-another", Code(() => SealedMessage.Open(message, other)));
        Assert.NotEqual(message, SealedMessage.Seal(content, key.PublicKey));
    }

    [Fact]
    public void Any_change_is_found()
    {
        var message = SealedMessage.Seal("a request with its answer"u8, key.PublicKey);
        for (var i = 0; i < message.Length; i++)
        {
            var changed = (byte[])message.Clone();
            changed[i] = changed[i] == (byte)'A' ? (byte)'B' : (byte)'A';
            // The last digit of a base64 text has bits that stand for nothing: then it is the same message, or none that is taken.
            if (Opened(changed) is { } opened)
                Assert.Equal("a request with its answer", Encoding.UTF8.GetString(opened));
        }

        Assert.All(Enumerable.Range(0, message.Length), length => Assert.Null(Opened(message[..length])));
    }

    [Theory]
    [InlineData("")]
    [InlineData("....")]
    [InlineData("a.b.c.d.e.f.g")]
    [InlineData("eyJhbGciOiJub25lIn0....")]
    public void What_is_no_such_message_is_refused(string text) => Assert.Equal("sealed-malformed", Code(() => SealedMessage.Open(Encoding.ASCII.GetBytes(text), key)));

    [Fact]
    public void An_ephemeral_key_off_the_curve_is_refused()
    {
        var message = Encoding.ASCII.GetString(SealedMessage.Seal("x"u8, key.PublicKey));
        var header = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(message.AsSpan(0, message.IndexOf('.'))));
        var at = header.IndexOf("\"x\":\"", StringComparison.Ordinal) + 5;
        var forged = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header[..at] + new string('A', 43) + header[(at + 43)..]));
        Assert.Equal("sealed-changed", Code(() => SealedMessage.Open(Encoding.ASCII.GetBytes(forged + message[message.IndexOf('.')..]), key)));
    }

    private byte[]? Opened(byte[] message)
    {
        try
        {
            return SealedMessage.Open(message, key);
        }
        catch (SlipwayException)
        {
            return null;
        }
    }

    private static string Code(Action act) => Assert.Single(Assert.Throws<SlipwayException>(act).Faults).Code;

    private static ECDiffieHellman Key(string x, string y, string d) => ECDiffieHellman.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new ECPoint { X = Base64Url.DecodeFromChars(x), Y = Base64Url.DecodeFromChars(y) },
        D = Base64Url.DecodeFromChars(d),
    });
}
