using System.Text;

namespace Slipway.Tests.Hostile;

/// <summary>Makes hostile bytes out of valid ones: flips, cuts, doubles and swaps pieces, and puts in what parsers stumble over.</summary>
internal sealed class Mutator(int seed, byte[][] seeds)
{
    private const int MostBytes = 1 << 16;

    private static readonly byte[][] stumblingBlocks =
    [
        .. new[]
        {
            "null", "{}", "[]", "\"\"", "-0", "1e999", "9007199254740993", "-9223372036854775809", "0.1e-400", "true", "\\u0000", "\\ud800", "\\\"", "\u0000", "\uFEFF", "sha256:", "..", "/", "//", "\r\n", "{\"a\":1,\"a\":2}", "=", "==", "====",
            "\u202e", "ustar\000", "path=../../x\n", "999999999999 path=x\n", "777777777777", "-1", "18446744073709551615", "application/vnd.in-toto+json", "sha512:" + new string('a', 128), "sha256:" + new string('A', 64), "sha256:" + new string('0', 64),
        }.Select(Encoding.UTF8.GetBytes),
        [0xff, 0xfe], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x80, 0, 0, 0, 0, 0, 0, 1],
        Encoding.ASCII.GetBytes(new string('[', 5_000)), Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 3_000))),
    ];

    private readonly Random chance = new(seed);

    public byte[] Next()
    {
        var bytes = seeds[chance.Next(seeds.Length)].ToList();
        for (var changes = chance.Next(1, 5); changes > 0; changes--)
            Change(bytes);
        return bytes.Count <= MostBytes ? [.. bytes] : [.. bytes.Take(MostBytes)];
    }

    private void Change(List<byte> bytes)
    {
        var at = chance.Next(bytes.Count + 1);
        var length = Math.Min(chance.Next(1, 64), bytes.Count - at);
        switch (chance.Next(8))
        {
            case 0 when length > 0:
                bytes[at] ^= (byte)(1 << chance.Next(8));
                break;
            case 1 when length > 0:
                bytes[at] = (byte)chance.Next(256);
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 4:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            case 5:
                bytes.InsertRange(at, stumblingBlocks[chance.Next(stumblingBlocks.Length)]);
                break;
            case 6:
                bytes.RemoveRange(at, length);
                bytes.InsertRange(at, stumblingBlocks[chance.Next(stumblingBlocks.Length)]);
                break;
            default:
                var other = seeds[chance.Next(seeds.Length)];
                var from = chance.Next(other.Length + 1);
                bytes.InsertRange(at, other.AsSpan(from, Math.Min(chance.Next(1, 512), other.Length - from)));
                break;
        }
    }
}
