namespace Slipway.Pipeline.Execution.Sql;

public static class SqlStage
{
    public const string Engine = "duckdb 1.5.6";
}
