using System.Security.Cryptography;
using System.Text;

namespace Slipway.Documents.Access;

/// <summary>An API token as its holder has it. A server stores its <see cref="Hash"/>, and nothing else.</summary>
public sealed record TokenSecret(string Text)
{
    /// <summary>So that scanners of leaked secrets can tell what they found.</summary>
    public const string Prefix = "slw_";

    private const int Bits = 256;

    public static TokenSecret Create() => new(Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bits / 8)));

    /// <summary>Null for what cannot be a token of ours.</summary>
    public static TokenSecret? Parse(string text) =>
        text.Length == Prefix.Length + Bits / 4 && text.StartsWith(Prefix, StringComparison.Ordinal) && text.AsSpan(Prefix.Length).IndexOfAnyExcept("0123456789abcdef") < 0
            ? new(text)
            : null;

    /// <summary>SHA-256, 64 hex digits. Looking it up tells by its time nothing that helps to guess 256 bits.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Text)));

    /// <summary>Whether it can be a <see cref="Hash"/>.</summary>
    public static bool IsHash(string text) => text.Length == Bits / 4 && text.AsSpan().IndexOfAnyExcept("0123456789abcdef") < 0;

    /// <summary>Never the secret: a record would print it.</summary>
    public override string ToString() => Prefix + "…";
}
