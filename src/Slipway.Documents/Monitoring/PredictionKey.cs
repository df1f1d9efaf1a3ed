using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Monitoring;

/// <summary>What a prediction and its label meet by: a hash, so that ids, which may be persons', are stored nowhere.</summary>
public static class PredictionKey
{
    /// <summary>Characters of a request's id that labels can name.</summary>
    public const int LongestId = 200;

    /// <param name="id">The request's <c>id</c> in its body, else its <c>x-request-id</c>.</param>
    /// <param name="row">From 0.</param>
    /// <param name="rows">Of the request. The label of a request of one row names <c>id</c>, of several <c>id/row</c>.</param>
    /// <returns>The first 16 bytes of SHA-256 as 32 hex digits.</returns>
    public static string Of(string model, string id, int row = 0, int rows = 1) =>
        Hash($"{model}\0{(rows == 1 ? id : string.Create(CultureInfo.InvariantCulture, $"{id}/{row}"))}");

    /// <summary>Whether a request is among a share of them: the same answer wherever it is asked, so that server and gateways agree which labels can match.</summary>
    public static bool IsAmong(Ratio share, string key) =>
        share.Value >= 1 || BinaryPrimitives.ReadUInt32BigEndian(Convert.FromHexString(key.AsSpan(0, 8))) < share.Value * uint.MaxValue;

    /// <summary>As <see cref="IsAmong(Ratio, string)"/> of <see cref="Of"/>, without an allocation.</summary>
    /// <param name="id">At most <see cref="LongestId"/> characters.</param>
    public static bool IsAmong(Ratio share, string model, string id, int row, int rows)
    {
        if (share.Value >= 1)
            return true;
        const int most = 3 * (LongestId + 100) + 32;       // UTF-8 of model and id, a zero between them, a slash and a number
        if (model.Length + id.Length > LongestId + 100)
            return IsAmong(share, Of(model, id, row, rows));
        Span<byte> text = stackalloc byte[most];
        var length = Encoding.UTF8.GetBytes(model, text);
        text[length++] = 0;
        length += Encoding.UTF8.GetBytes(id, text[length..]);
        if (rows != 1)
        {
            text[length++] = (byte)'/';
            row.TryFormat(text[length..], out var digits, default, CultureInfo.InvariantCulture);
            length += digits;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..length], hash);
        return BinaryPrimitives.ReadUInt32BigEndian(hash) < share.Value * uint.MaxValue;
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}
