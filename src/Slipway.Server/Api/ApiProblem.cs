using Slipway.Primitives.Faults;

namespace Slipway.Server.Api;

/// <summary>A refusal with its HTTP status: 400 malformed, 401 who are you, 403 may not, 404 not there, 409 not in this state, 422 the verdict is bad.</summary>
internal sealed class ApiProblem(int status, Fault fault, params Fault[] more) : Exception(string.Join("; ", more.Prepend(fault)))
{
    public int Status => status;

    /// <summary>The first.</summary>
    public Fault Fault => fault;

    public IReadOnlyList<Fault> Faults => [fault, .. more];
}
