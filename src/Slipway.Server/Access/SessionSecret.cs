using System.Security.Cryptography;
using System.Text;

namespace Slipway.Server.Access;

/// <summary>A browser's session as its cookie has it. The server stores its <see cref="Hash"/> alone.</summary>
internal sealed record SessionSecret
{
    private const int Bits = 256;

    private readonly string text;

    private SessionSecret(string text) => this.text = text;

    public string Cookie => text;

    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    /// <summary>What every form of this session carries: a page of another site cannot read it, so it cannot send such a form.</summary>
    /// <remarks>Source: OWASP, Cross-Site Request Forgery Prevention, HMAC-based token pattern.</remarks>
    public string FormToken => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.ASCII.GetBytes(text), "slipway form"u8));

    public static SessionSecret Create() => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bits / 8)));

    /// <summary>Null for what cannot be one.</summary>
    public static SessionSecret? Parse(string? text) => text is { Length: Bits / 4 } && text.AsSpan().IndexOfAnyExcept("0123456789abcdef") < 0 ? new(text) : null;

    /// <summary>Whether a form is this session's; the time that it takes tells nothing of where they differ.</summary>
    public bool Signed(string? formToken) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(formToken ?? ""), Encoding.ASCII.GetBytes(FormToken));

    /// <summary>Never the secret: a record would print it.</summary>
    public override string ToString() => "session …";
}
