using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Pipeline.Evaluation;

/// <summary>One unit of the resampling, as it enters the digest.</summary>
internal sealed record UnitRows(string Unit, long Rows, long Positives);

/// <summary>Rows that are their own units, as they enter the digest.</summary>
/// <param name="Labels">Digest of one byte, 0 or 1, a row.</param>
internal sealed record RowUnits(long Rows, Digest Labels);

/// <summary>
/// The digest that says that resample r draws the same units of the same examples in two evaluations: canonical JSON of each unit
/// in order, each with a line end.
/// </summary>
internal static class UnitsFingerprint
{
    public static Digest Of(Predictions predictions)
    {
        var rows = predictions.Rows;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (predictions.UnitNames is not { } names)
        {
            var labels = Digest.Of(Array.ConvertAll(rows.Labels, static label => label ? (byte)1 : (byte)0));
            Append(CanonicalJson.Serialize(new RowUnits(rows.Rows, labels), UnitsJson.Default.RowUnits));
        }
        else
        {
            var (counts, positives) = (new long[names.Length], new long[names.Length]);
            for (var row = 0; row < rows.Rows; row++)
            {
                counts[rows.UnitOf(row)]++;
                positives[rows.UnitOf(row)] += rows.Labels[row] ? 1 : 0;
            }

            for (var unit = 0; unit < names.Length; unit++)
                Append(CanonicalJson.Serialize(new UnitRows(names[unit], counts[unit], positives[unit]), UnitsJson.Default.UnitRows));
        }

        return new Digest(hash.GetHashAndReset());

        void Append(byte[] line)
        {
            hash.AppendData(line);
            hash.AppendData("\n"u8);
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(UnitRows))]
[JsonSerializable(typeof(RowUnits))]
internal sealed partial class UnitsJson : JsonSerializerContext;
