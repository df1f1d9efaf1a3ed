using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Slipway.Engines.DuckDb.Native;

namespace Slipway.Engines.DuckDb;

/// <summary>One column of the chunk that its reader stands on; rows count from 0 within the chunk.</summary>
/// <remarks>A value at a row that <see cref="IsNull"/> is unspecified. Spans live until the reader moves on.</remarks>
public sealed unsafe class DuckColumn
{
    private readonly ColumnType type;
    private void* data;
    private ulong* validity;
    private int rows;

    internal DuckColumn(string name, ColumnType type) => (Name, this.type) = (name, type);

    /// <summary>DuckDB's string: short ones lie inside, long ones are pointed at.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    private struct StringValue
    {
        public const int LongestInside = 12;

        [FieldOffset(0)]
        public int Length;
        [FieldOffset(4)]
        public byte Inside;
        [FieldOffset(8)]
        public byte* Outside;
    }

    public string Name { get; }

    /// <summary>Whether <see cref="Int64"/> can be read.</summary>
    public bool IsInteger => type.Id is (>= TypeId.Boolean and <= TypeId.UBigInt) or TypeId.HugeInt or TypeId.UHugeInt;

    public bool IsNull(int row) => validity is not null && (validity[Checked(row) >> 6] >> (row & 63) & 1) == 0;

    /// <summary>The chunk's values as they lie in memory, without a copy.</summary>
    /// <typeparam name="T">
    /// BIGINT long, DOUBLE double and so on; DATE int days and TIMESTAMP long microseconds since 1970; DECIMAL its scaled integer.
    /// </typeparam>
    /// <exception cref="InvalidOperationException">The column's values are no <typeparamref name="T"/>.</exception>
    public ReadOnlySpan<T> Values<T>()
        where T : unmanaged =>
        typeof(T) == type.Element ? new ReadOnlySpan<T>(data, rows) : throw Wrong(typeof(T).Name);

    /// <summary>A BOOLEAN or any integer, widened.</summary>
    /// <exception cref="InvalidOperationException">Another type.</exception>
    /// <exception cref="OverflowException">It does not fit.</exception>
    public long Int64(int row) => IsInteger ? Whole(Checked(row)) switch
    {
        var value when value >= long.MinValue && value <= long.MaxValue => (long)value,
        _ => throw new OverflowException($"a value of column '{Name}' does not fit 64 bits"),
    } : throw Wrong("integer");

    /// <summary>Any number, rounded to the nearest double.</summary>
    /// <exception cref="InvalidOperationException">Not a number.</exception>
    public double Double(int row) => type.Id switch
    {
        TypeId.Double => ((double*)data)[Checked(row)],
        TypeId.Float => ((float*)data)[Checked(row)],
        TypeId.UHugeInt => (double)((UInt128*)data)[Checked(row)],
        TypeId.Decimal => double.Parse(Text(row), CultureInfo.InvariantCulture),
        _ when IsInteger => (double)Whole(Checked(row)),
        _ => throw Wrong("number"),
    };

    /// <exception cref="InvalidOperationException">Not a BOOLEAN.</exception>
    public bool Boolean(int row) => type.Id == TypeId.Boolean ? ((bool*)data)[Checked(row)] : throw Wrong("boolean");

    /// <summary>A DATE, or a TIMESTAMP of any precision, to 100 ns; UTC where it has a zone.</summary>
    /// <exception cref="InvalidOperationException">Another type.</exception>
    /// <exception cref="OverflowException">Infinite, or outside the years 1 to 9999.</exception>
    public DateTime Timestamp(int row)
    {
        var (value, perTick) = type.Id switch
        {
            TypeId.Date => (((int*)data)[Checked(row)], TimeSpan.TicksPerDay),
            TypeId.TimestampSeconds => (((long*)data)[Checked(row)], TimeSpan.TicksPerSecond),
            TypeId.TimestampMilliseconds => (((long*)data)[Checked(row)], TimeSpan.TicksPerMillisecond),
            TypeId.Timestamp or TypeId.TimestampTz => (((long*)data)[Checked(row)], TimeSpan.TicksPerMicrosecond),
            TypeId.TimestampNanoseconds => (((long*)data)[Checked(row)] / 100, 1L),
            _ => throw Wrong("timestamp"),
        };
        var ticks = (Int128)value * perTick + DateTime.UnixEpoch.Ticks;
        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks)
            throw new OverflowException($"a time of column '{Name}' is infinite or outside the years 1 to 9999");
        return new DateTime((long)ticks, type.Id == TypeId.TimestampTz ? DateTimeKind.Utc : DateTimeKind.Unspecified);
    }

    /// <summary>The bytes of a VARCHAR (UTF-8) or BLOB, without a copy.</summary>
    /// <exception cref="InvalidOperationException">Another type.</exception>
    public ReadOnlySpan<byte> Utf8(int row)
    {
        if (type.Id is not (TypeId.Varchar or TypeId.Blob))
            throw Wrong("string");
        var value = (StringValue*)data + Checked(row);
        return new ReadOnlySpan<byte>(value->Length <= StringValue.LongestInside ? &value->Inside : value->Outside, value->Length);
    }

    /// <summary>The value for people and for keys: invariant, and different for different values of one column.</summary>
    /// <exception cref="InvalidOperationException">A nested or rare type: cast it to VARCHAR in the query.</exception>
    public string Text(int row)
    {
        switch (type.Id)
        {
            case TypeId.Varchar:
                return Encoding.UTF8.GetString(Utf8(row));
            case TypeId.Blob:
                return Convert.ToHexStringLower(Utf8(row));
            case TypeId.Boolean:
                return Boolean(row) ? "true" : "false";
            case TypeId.Double:
                return ((double*)data)[Checked(row)].ToString("R", CultureInfo.InvariantCulture);
            case TypeId.Float:
                return ((float*)data)[Checked(row)].ToString("R", CultureInfo.InvariantCulture);
            case TypeId.UHugeInt:
                return ((UInt128*)data)[Checked(row)].ToString(CultureInfo.InvariantCulture);
            case TypeId.Decimal:
                return Scaled(Whole(Checked(row)), type.Scale);
            case TypeId.Date:
                return Timestamp(row).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            case TypeId.Time:
                return TimeSpan.FromMicroseconds(((long*)data)[Checked(row)]).ToString(@"hh\:mm\:ss\.ffffff", CultureInfo.InvariantCulture).TrimEnd('0').TrimEnd('.');
            case TypeId.Timestamp or TypeId.TimestampSeconds or TypeId.TimestampMilliseconds or TypeId.TimestampTz:
                return Timestamp(row).ToString("yyyy-MM-dd HH:mm:ss.FFFFFFK", CultureInfo.InvariantCulture);
            default:
                return IsInteger ? Whole(Checked(row)).ToString(CultureInfo.InvariantCulture) : throw Wrong("text");
        }
    }

    internal void Point(nint vector, int count)
    {
        rows = count;
        data = vector == 0 ? null : NativeDuckDb.duckdb_vector_get_data(vector);
        validity = vector == 0 ? null : NativeDuckDb.duckdb_vector_get_validity(vector);
    }

    private int Checked(int row) => (uint)row < (uint)rows ? row : throw new ArgumentOutOfRangeException(nameof(row), row, $"the chunk has {rows} rows");

    private Int128 Whole(int row) => type.Storage switch
    {
        TypeId.Boolean or TypeId.UTinyInt => ((byte*)data)[row],
        TypeId.TinyInt => ((sbyte*)data)[row],
        TypeId.SmallInt => ((short*)data)[row],
        TypeId.USmallInt => ((ushort*)data)[row],
        TypeId.Integer => ((int*)data)[row],
        TypeId.UInteger => ((uint*)data)[row],
        TypeId.BigInt => ((long*)data)[row],
        TypeId.UBigInt => ((ulong*)data)[row],
        TypeId.HugeInt => ((Int128*)data)[row],
        TypeId.UHugeInt => checked((Int128)((UInt128*)data)[row]),
        _ => throw Wrong("integer"),
    };

    private static string Scaled(Int128 value, int scale)
    {
        if (scale == 0)
            return value.ToString(CultureInfo.InvariantCulture);
        var digits = Int128.Abs(value).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        return $"{(value < 0 ? "-" : "")}{digits[..^scale]}.{digits[^scale..]}";
    }

    private InvalidOperationException Wrong(string wanted) =>
        new($"column '{Name}' is DuckDB's {type.Id}, which is not read as {wanted}; cast it in the query");
}
