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

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}
