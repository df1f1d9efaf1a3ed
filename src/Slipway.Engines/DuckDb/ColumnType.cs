using Slipway.Engines.DuckDb.Native;

namespace Slipway.Engines.DuckDb;

/// <summary>DuckDB's type numbers, of its C header.</summary>
internal enum TypeId
{
    Boolean = 1, TinyInt, SmallInt, Integer, BigInt, UTinyInt, USmallInt, UInteger, UBigInt,
    Float = 10, Double, Timestamp, Date, Time, HugeInt = 16, Varchar = 17, Blob = 18, Decimal = 19,
    TimestampSeconds = 20, TimestampMilliseconds = 21, TimestampNanoseconds = 22, TimestampTz = 31, UHugeInt = 32,
}

/// <param name="Storage">How values lie in memory: for a decimal the integer type below it, else the type itself.</param>
/// <param name="Scale">Digits after the point of a decimal; 0 for every other type.</param>
internal readonly record struct ColumnType(TypeId Id, TypeId Storage, int Scale)
{
    public static ColumnType Of(nint type)
    {
        var id = (TypeId)NativeDuckDb.duckdb_get_type_id(type);
        return id == TypeId.Decimal
            ? new ColumnType(id, (TypeId)NativeDuckDb.duckdb_decimal_internal_type(type), NativeDuckDb.duckdb_decimal_scale(type))
            : new ColumnType(id, id, 0);
    }

    /// <summary>The .NET type of one value in memory; null for what is read as text or not at all.</summary>
    public Type? Element => Storage switch
    {
        TypeId.Boolean => typeof(bool),
        TypeId.TinyInt => typeof(sbyte),
        TypeId.SmallInt => typeof(short),
        TypeId.Integer or TypeId.Date => typeof(int),
        TypeId.BigInt or TypeId.Time or TypeId.Timestamp or TypeId.TimestampSeconds or TypeId.TimestampMilliseconds
            or TypeId.TimestampNanoseconds or TypeId.TimestampTz => typeof(long),
        TypeId.UTinyInt => typeof(byte),
        TypeId.USmallInt => typeof(ushort),
        TypeId.UInteger => typeof(uint),
        TypeId.UBigInt => typeof(ulong),
        TypeId.Float => typeof(float),
        TypeId.Double => typeof(double),
        TypeId.HugeInt => typeof(Int128),
        TypeId.UHugeInt => typeof(UInt128),
        _ => null,
    };
}
