using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Slipway.Server.Webhooks;

/// <summary>How a receiver knows that a request is from this server: Standard Webhooks 1.0 (standardwebhooks.com), symmetric.</summary>
internal static class WebhookSignature
{
    public const string IdHeader = "webhook-id", TimestampHeader = "webhook-timestamp", SignatureHeader = "webhook-signature";

    private const string SecretPrefix = "whsec_", Version = "v1,";

    /// <summary>The secret as its holder has it.</summary>
    public static string Text(byte[] secret) => SecretPrefix + Convert.ToBase64String(secret);

    /// <param name="at">Unix seconds of the try: receivers refuse what is too old.</param>
    /// <returns><c>v1,</c> and base64 of HMAC-SHA256 over <c>id.at.body</c>.</returns>
    public static string Sign(byte[] secret, string id, long at, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        hmac.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{at}.")));
        hmac.AppendData(body);
        return Version + Convert.ToBase64String(hmac.GetHashAndReset());
    }
}
