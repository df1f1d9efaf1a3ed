using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;

namespace Slipway.Trust.Timestamps;

/// <summary>What a timestamp authority is asked, and whether its answer is one to that. Source: RFC 3161, sections 2.4 and 3.4.</summary>
public sealed class TimestampQuery
{
    public const string RequestType = "application/timestamp-query", ResponseType = "application/timestamp-reply";

    private readonly Rfc3161TimestampRequest request;

    private TimestampQuery(Rfc3161TimestampRequest request) => this.request = request;

    /// <summary>The DER to send.</summary>
    public byte[] Request => request.Encode();

    /// <param name="nonce">Random bytes, so that no old answer fits; at least 8.</param>
    public static TimestampQuery For(ReadOnlySpan<byte> stamped, ReadOnlyMemory<byte> nonce) =>
        new(Rfc3161TimestampRequest.CreateFromData(stamped, HashAlgorithmName.SHA256, nonce: nonce, requestSignerCertificates: true));

    /// <summary>Whether it answers this query. Who signed it is not looked at: that is each reader's to judge.</summary>
    public bool IsAnsweredBy(ReadOnlySpan<byte> response)
    {
        try
        {
            _ = request.ProcessResponse(response.ToArray(), out var length);
            return length == response.Length;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
